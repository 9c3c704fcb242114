using System.Buffers.Binary;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.Xfrm;

namespace Skep.Kernel.Xfrm;

/// <summary>Reads answers of linux/xfrm.h; what is not of the kind that we make is left out.</summary>
internal static class XfrmParser
{
    private const int KeyOffset = 72;

    public static XfrmState? ParseState(NetlinkMessage message)
    {
        var info = message.Header<XfrmStateInfo>();
        if (message.Type != XFRM_MSG_NEWSA || info.Id.Protocol != IPPROTO_ESP || info.Mode != XFRM_MODE_TRANSPORT)
        {
            return null;
        }

        var (key, window) = ((XfrmKey?)null, (uint)info.ReplayWindow);
        var attributes = message.AttributesAfter<XfrmStateInfo>();
        while (attributes.Next(out var attribute))
        {
            if (attribute.Type == XFRMA_ALG_AEAD && attribute.Value.Length == KeyOffset + XfrmKey.Size)
            {
                key = new XfrmKey(attribute.Value[KeyOffset..]);
            }
            else if (attribute.Type == XFRMA_REPLAY_ESN_VAL && attribute.Value.Length >= Unsafe.SizeOf<XfrmReplay>())
            {
                window = MemoryMarshal.Read<XfrmReplay>(attribute.Value).Window;
            }
        }

        return new XfrmState(info.Source.To(info.Family), info.Id.Destination.To(info.Family), Big(info.Id.Spi), info.RequestId, key)
        {
            ReplayWindow = window,
            Counters = new XfrmCounters
            {
                Bytes = info.Use.Bytes,
                Packets = info.Use.Packets,
                AddedAt = DateTimeOffset.FromUnixTimeSeconds((long)info.Use.AddTime),
                UsedAt = info.Use.UseTime == 0 ? null : DateTimeOffset.FromUnixTimeSeconds((long)info.Use.UseTime),
                Replays = info.ReplayFailures + info.WindowFailures,
                Forgeries = info.IntegrityFailures,
            },
        };
    }

    public static XfrmPolicy? ParsePolicy(NetlinkMessage message)
    {
        var info = message.Header<XfrmPolicyInfo>();
        // enum xfrm_policy_dir goes on with forwarding and with sockets' own; those are not ours.
        if (message.Type != XFRM_MSG_NEWPOLICY || info.Direction > (byte)XfrmDirection.Out || info.Selector.Protocol != IPPROTO_UDP)
        {
            return null;
        }

        var selector = info.Selector;
        return new XfrmPolicy(
            (XfrmDirection)info.Direction,
            new IPNetwork(selector.Source.To(selector.Family), selector.SourcePrefix),
            new IPNetwork(selector.Destination.To(selector.Family), selector.DestinationPrefix),
            BinaryPrimitives.ReverseEndianness(selector.DestinationPort),
            info.Priority)
        {
            Template = info.Action == XFRM_POLICY_BLOCK ? null : Template(message.AttributesAfter<XfrmPolicyInfo>().Find(XFRMA_TMPL)),
        };
    }

    // A policy that lets through without any transformation is told from ours by a template that asks for nothing.
    private static XfrmTemplate Template(NetlinkAttribute attribute)
    {
        if (attribute.Value.Length < Unsafe.SizeOf<XfrmTemplateInfo>())
        {
            return new XfrmTemplate(IPAddress.None, IPAddress.None, 0, 0);
        }

        var info = MemoryMarshal.Read<XfrmTemplateInfo>(attribute.Value);
        return info.Optional != 0
            ? new XfrmTemplate(IPAddress.None, IPAddress.None, 0, 0)
            : new XfrmTemplate(info.Source.To(info.Family), info.Id.Destination.To(info.Family), Big(info.Id.Spi), info.RequestId);
    }

    private static uint Big(uint value) => BinaryPrimitives.ReverseEndianness(value);
}
