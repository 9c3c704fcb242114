using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/sock_diag.h and linux/inet_diag.h.</summary>
internal static class InetDiag
{
    public const ushort SOCK_DIAG_BY_FAMILY = 20;
}

/// <summary>struct inet_diag_sockid. Ports and addresses are in network order; an IPv4 address is the first four bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InetDiagSocketId
{
    public ushort SourcePort;
    public ushort DestinationPort;
    public InetDiagAddress Source;
    public InetDiagAddress Destination;
    public uint Interface;
    public ulong Cookie;
}

[InlineArray(16)]
internal struct InetDiagAddress
{
    private byte _first;
}

/// <summary>struct inet_diag_req_v2.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InetDiagRequest
{
    public byte Family;
    public byte Protocol;
    public byte Extensions;
    public byte Padding;

    /// <summary>One bit for each state that is asked for: 1 &lt;&lt; state.</summary>
    public uint States;

    public InetDiagSocketId Id;
}

/// <summary>struct inet_diag_msg.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InetDiagMessage
{
    public byte Family;
    public byte State;
    public byte Timer;
    public byte Retransmits;
    public InetDiagSocketId Id;
    public uint Expires;
    public uint ReceiveQueue;
    public uint SendQueue;
    public uint Owner;
    public uint Inode;
}
