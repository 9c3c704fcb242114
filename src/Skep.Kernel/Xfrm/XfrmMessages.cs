using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;
using static Skep.Kernel.Netlink.Headers.Xfrm;

namespace Skep.Kernel.Xfrm;

/// <summary>Writes requests of linux/xfrm.h.</summary>
internal static class XfrmMessages
{
    private const int NameSize = 64;
    private const int CheckBits = 128;
    private static readonly byte[] s_name = Encoding.ASCII.GetBytes("rfc4106(gcm(aes))");

    public static NetlinkWriter Dump(ushort type)
    {
        var writer = new NetlinkWriter();
        writer.EndMessage(writer.BeginMessage(type, NLM_F_REQUEST | NLM_F_DUMP));
        return writer;
    }

    public static void Add(NetlinkWriter writer, XfrmState state)
    {
        var family = AddressFamilies.Of(state.Destination);
        var message = writer.BeginMessage(XFRM_MSG_NEWSA, NLM_F_REQUEST);
        writer.Header(new XfrmStateInfo
        {
            Selector = new XfrmSelector { Family = family },
            Id = new XfrmId { Destination = XfrmAddress.Of(state.Destination), Spi = Big(state.Spi), Protocol = IPPROTO_ESP },
            Source = XfrmAddress.Of(state.Source),
            Limits = XfrmLimits.None,
            RequestId = state.RequestId,
            Family = family,
            Mode = XFRM_MODE_TRANSPORT,
            Flags = XFRM_STATE_ESN,
        });
        writer.Attribute(XFRMA_ALG_AEAD, Algorithm(state.Key ?? throw new ArgumentException("a state without a key cannot be added", nameof(state))));
        writer.Attribute(XFRMA_REPLAY_ESN_VAL, Replay(state.ReplayWindow));
        writer.EndMessage(message);
    }

    public static void Delete(NetlinkWriter writer, XfrmState state)
    {
        var message = writer.BeginMessage(XFRM_MSG_DELSA, NLM_F_REQUEST);
        writer.Header(new XfrmStateId
        {
            Destination = XfrmAddress.Of(state.Destination),
            Spi = Big(state.Spi),
            Family = AddressFamilies.Of(state.Destination),
            Protocol = IPPROTO_ESP,
        });
        writer.EndMessage(message);
    }

    /// <summary>Takes the place of a policy with the same selector in one step.</summary>
    public static void Set(NetlinkWriter writer, XfrmPolicy policy)
    {
        var message = writer.BeginMessage(XFRM_MSG_UPDPOLICY, NLM_F_REQUEST);
        writer.Header(new XfrmPolicyInfo
        {
            Selector = Selector(policy),
            Limits = XfrmLimits.None,
            Priority = policy.Priority,
            Direction = (byte)policy.Direction,
            Action = policy.Template is null ? XFRM_POLICY_BLOCK : XFRM_POLICY_ALLOW,
        });
        if (policy.Template is { } template)
        {
            var bytes = new XfrmTemplateInfo
            {
                Id = new XfrmId { Destination = XfrmAddress.Of(template.Destination), Spi = Big(template.Spi), Protocol = IPPROTO_ESP },
                Family = AddressFamilies.Of(template.Destination),
                Source = XfrmAddress.Of(template.Source),
                RequestId = template.RequestId,
                Mode = XFRM_MODE_TRANSPORT,
                AuthAlgorithms = uint.MaxValue,
                EncryptAlgorithms = uint.MaxValue,
                CompressAlgorithms = uint.MaxValue,
            };
            writer.Attribute(XFRMA_TMPL, MemoryMarshal.AsBytes(new ReadOnlySpan<XfrmTemplateInfo>(in bytes)));
        }

        writer.EndMessage(message);
    }

    public static void Delete(NetlinkWriter writer, XfrmPolicy policy)
    {
        var message = writer.BeginMessage(XFRM_MSG_DELPOLICY, NLM_F_REQUEST);
        writer.Header(new XfrmPolicyId { Selector = Selector(policy), Direction = (byte)policy.Direction });
        writer.EndMessage(message);
    }

    private static uint Big(uint value) => BinaryPrimitives.ReverseEndianness(value);

    private static XfrmSelector Selector(XfrmPolicy policy) => new()
    {
        Destination = XfrmAddress.Of(policy.Destination.BaseAddress),
        Source = XfrmAddress.Of(policy.Source.BaseAddress),
        DestinationPort = BinaryPrimitives.ReverseEndianness(policy.Port),
        DestinationPortMask = ushort.MaxValue,
        Family = AddressFamilies.Of(policy.Destination.BaseAddress),
        DestinationPrefix = (byte)policy.Destination.PrefixLength,
        SourcePrefix = (byte)policy.Source.PrefixLength,
        Protocol = IPPROTO_UDP,
    };

    // struct xfrm_algo_aead: name, bits of the key, bits of the check value, key.
    private static byte[] Algorithm(XfrmKey key)
    {
        var bytes = new byte[NameSize + 8 + XfrmKey.Size];
        s_name.CopyTo(bytes, 0);
        MemoryMarshal.Write(bytes.AsSpan(NameSize), XfrmKey.Size * 8);
        MemoryMarshal.Write(bytes.AsSpan(NameSize + 4), CheckBits);
        key.Bytes.CopyTo(bytes.AsSpan(NameSize + 8));
        return bytes;
    }

    private static byte[] Replay(uint window)
    {
        var state = new XfrmReplay { BitmapWords = (window + 31) / 32, Window = window };
        return [.. MemoryMarshal.AsBytes(new ReadOnlySpan<XfrmReplay>(in state)), .. new byte[state.BitmapWords * 4]];
    }
}
