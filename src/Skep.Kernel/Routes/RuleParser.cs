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
        var attributes = message.AttributesAfter<FibRuleHeader>();
        while (attributes.Next(out var attribute))
        {
            rule = attribute.Type switch
            {
                FRA_SRC when attribute.Address is { } from => rule with { From = new IPNetwork(from, header.SourceLength) },
                FRA_FWMARK => rule with { Mark = attribute.UInt32 },
                FRA_TABLE => rule with { Table = attribute.UInt32 },
                FRA_PRIORITY => rule with { Priority = attribute.UInt32 },
                _ => rule,
            };
        }

        return rule;
    }
}
