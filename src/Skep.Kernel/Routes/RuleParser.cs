using System.Net;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.FibRules;

namespace Skep.Kernel.Routes;

/// <summary>Reads RTM_NEWRULE and RTM_DELRULE.</summary>
internal static class RuleParser
{
    public static Rule? Parse(NetlinkMessage message)
    {
        var header = message.Header<FibRuleHeader>();
        if (header.Family is not (AddressFamilies.AF_INET or AddressFamilies.AF_INET6))
        {
            return null;
        }

        var rule = new Rule(AddressFamilies.ToFamily(header.Family), null, null, header.Table, 0);
        var plain = header is { Action: FR_ACT_TO_TBL, DestinationLength: 0, Tos: 0 } && (header.Flags & FIB_RULE_INVERT) == 0;
        var attributes = message.AttributesAfter<FibRuleHeader>();
        while (attributes.Next(out var attribute))
        {
            plain &= attribute.Type switch
            {
                FRA_SRC or FRA_FWMARK or FRA_TABLE or FRA_PRIORITY or FRA_PROTOCOL => true,
                FRA_FWMASK or FRA_SUPPRESS_PREFIXLEN => attribute.UInt32 == uint.MaxValue,
                _ => false,
            };
            rule = attribute.Type switch
            {
                FRA_SRC when attribute.Address is { } from => rule with { From = new IPNetwork(from, header.SourceLength) },
                FRA_FWMARK => rule with { Mark = attribute.UInt32 },
                FRA_TABLE => rule with { Table = attribute.UInt32 },
                FRA_PRIORITY => rule with { Priority = attribute.UInt32 },
                _ => rule,
            };
        }

        return plain ? rule : rule with { Foreign = Convert.ToHexString(message.Payload) };
    }
}
