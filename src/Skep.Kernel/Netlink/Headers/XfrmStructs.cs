using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skep.Kernel.Netlink.Headers;

/// <summary>xfrm_address_t: sixteen bytes in network order; an IPv4 address has the first four.</summary>
[InlineArray(16)]
internal struct XfrmAddress
{
    private byte _first;

    public static XfrmAddress Of(IPAddress address)
    {
        var bytes = default(XfrmAddress);
        address.TryWriteBytes(bytes, out _);
        return bytes;
    }

    public readonly IPAddress To(ushort family)
    {
        ReadOnlySpan<byte> bytes = this;
        return new IPAddress(family == AddressFamilies.AF_INET6 ? bytes : bytes[..4]);
    }
}

/// <summary>struct xfrm_id. Spi in network order.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XfrmId
{
    public XfrmAddress Destination;
    public uint Spi;
    public byte Protocol;
}

/// <summary>struct xfrm_selector. Ports in network order.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XfrmSelector
{
    public XfrmAddress Destination;
    public XfrmAddress Source;
    public ushort DestinationPort;
    public ushort DestinationPortMask;
    public ushort SourcePort;
    public ushort SourcePortMask;
    public ushort Family;
    public byte DestinationPrefix;
    public byte SourcePrefix;
    public byte Protocol;
    public int Interface;
    public uint User;
}

/// <summary>struct xfrm_lifetime_cfg.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XfrmLimits
{
    public ulong SoftBytes;
    public ulong HardBytes;
    public ulong SoftPackets;
    public ulong HardPackets;
    public ulong SoftAddExpires;
    public ulong HardAddExpires;
    public ulong SoftUseExpires;
    public ulong HardUseExpires;

    public static XfrmLimits None => new()
    {
        SoftBytes = Xfrm.XFRM_INF, HardBytes = Xfrm.XFRM_INF, SoftPackets = Xfrm.XFRM_INF, HardPackets = Xfrm.XFRM_INF,
    };
}

/// <summary>struct xfrm_lifetime_cur; times in seconds since 1970.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XfrmUse
{
    public ulong Bytes;
    public ulong Packets;
    public ulong AddTime;
    public ulong UseTime;
}

/// <summary>struct xfrm_usersa_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XfrmStateInfo
{
    public XfrmSelector Selector;
    public XfrmId Id;
    public XfrmAddress Source;
    public XfrmLimits Limits;
    public XfrmUse Use;
    public uint WindowFailures;
    public uint ReplayFailures;
    public uint IntegrityFailures;
    public uint Sequence;
    public uint RequestId;
    public ushort Family;
    public byte Mode;
    public byte ReplayWindow;
    public byte Flags;
}

/// <summary>struct xfrm_usersa_id. Spi in network order.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XfrmStateId
{
    public XfrmAddress Destination;
    public uint Spi;
    public ushort Family;
    public byte Protocol;
}

/// <summary>struct xfrm_userpolicy_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XfrmPolicyInfo
{
    public XfrmSelector Selector;
    public XfrmLimits Limits;
    public XfrmUse Use;
    public uint Priority;
    public uint Index;
    public byte Direction;
    public byte Action;
    public byte Flags;
    public byte Share;
}

/// <summary>struct xfrm_userpolicy_id.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XfrmPolicyId
{
    public XfrmSelector Selector;
    public uint Index;
    public byte Direction;
}

/// <summary>struct xfrm_user_tmpl.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XfrmTemplateInfo
{
    public XfrmId Id;
    public ushort Family;

    // The compiler does not know that an address stands at a multiple of four.
    public ushort Padding;
    public XfrmAddress Source;
    public uint RequestId;
    public byte Mode;
    public byte Share;
    public byte Optional;
    public uint AuthAlgorithms;
    public uint EncryptAlgorithms;
    public uint CompressAlgorithms;
}

/// <summary>struct xfrm_replay_state_esn without its bitmap.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct XfrmReplay
{
    public uint BitmapWords;
    public uint OutSequence;
    public uint Sequence;
    public uint OutSequenceHigh;
    public uint SequenceHigh;
    public uint Window;
}
