using System.Collections.Immutable;
using Skep.Model.Specs;

namespace Skep.Model.Rules;

/// <summary>What a service's ports must keep to.</summary>
internal static class EndpointRules
{
    private const uint HighestPort = 65535;

    public static void Check(EndpointSpec? spec, ImmutableArray<Problem>.Builder problems)
    {
        if (spec?.Mode is not (null or "" or EndpointSpec.Vip or EndpointSpec.DnsRoundRobin))
        {
            problems.Add(new Problem($"invalid resolution mode: \"{spec.Mode}\"", Word: true));
        }

        var published = new HashSet<(uint, string?)>();
        foreach (var port in spec?.Ports ?? [])
        {
            if (port.TargetPort is 0 or > HighestPort)
            {
                problems.Add(new Problem($"EndpointSpec: invalid target port '{port.TargetPort}': it must be between 1 and 65535"));
            }

            if (port.PublishedPort > HighestPort)
            {
                problems.Add(new Problem($"EndpointSpec: invalid published port '{port.PublishedPort}': it must be between 1 and 65535"));
            }

            if (port.PublishMode != PortConfig.Host && port.PublishedPort is > 0 && !published.Add((port.PublishedPort.Value, port.Protocol)))
            {
                problems.Add(new Problem("EndpointSpec: duplicate published ports provided"));
            }
        }

        if (spec?.Mode == EndpointSpec.DnsRoundRobin && (spec.Ports ?? []).Any(p => p.PublishMode != PortConfig.Host))
        {
            problems.Add(new Problem("EndpointSpec: port published with ingress mode can't be used with dnsrr mode"));
        }
    }
}
