using System.Collections.Immutable;
using System.Net;
using Skep.Model.Specs;

namespace Skep.Model.Rules;

/// <summary>What a network's specification must keep to.</summary>
public static class NetworkRules
{
    public static ImmutableArray<Problem> Check(NetworkSpec spec)
    {
        var problems = ImmutableArray.CreateBuilder<Problem>();
        if (spec.Name.Length == 0)
        {
            problems.Add(new Problem("meta: name must be provided"));
        }
        else if (!spec.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.') || !char.IsAsciiLetterOrDigit(spec.Name[0]))
        {
            problems.Add(new Problem($"invalid name \"{spec.Name}\": only [a-zA-Z0-9][a-zA-Z0-9_.-]* are allowed"));
        }

        if (spec is { Ingress: true, Attachable: true })
        {
            problems.Add(new Problem("ingress network cannot be attachable"));
        }

        if (spec.IPAMOptions?.Driver?.Name is { Length: > 0 } and not "default")
        {
            problems.Add(new Problem($"ipam driver \"{spec.IPAMOptions.Driver.Name}\" is not known; this version has default only"));
        }

        foreach (var config in spec.IPAMOptions?.Configs ?? [])
        {
            CheckSubnet(config, problems);
        }

        return problems.ToImmutable();
    }

    /// <summary>What Swarm does and this version does not; null when there is nothing of that.</summary>
    public static string? Unsupported(NetworkSpec spec) => spec switch
    {
        { DriverConfiguration.Name: { Length: > 0 } and not "overlay" } =>
            $"network driver \"{spec.DriverConfiguration.Name}\" is not done by this version; use overlay",
        { EnableIPv6: true } => "IPv6 in networks is not done by this version",
        { EnableIPv4: false } => "networks without IPv4 are not done by this version",
        _ when spec.DriverConfiguration?.Options?.ContainsKey("encrypted") == true =>
            "encrypted networks are not done by this version, and nothing is sent in the clear that was meant to be encrypted",
        _ => null,
    };

    private static void CheckSubnet(IpamConfig config, ImmutableArray<Problem>.Builder problems)
    {
        if (string.IsNullOrEmpty(config.Subnet))
        {
            if (!string.IsNullOrEmpty(config.Gateway) || !string.IsNullOrEmpty(config.IPRange))
            {
                problems.Add(new Problem("ipam configuration: a gateway or range needs a subnet"));
            }

            return;
        }

        if (!IPNetwork.TryParse(config.Subnet, out var subnet))
        {
            problems.Add(new Problem($"ipam configuration: invalid subnet {config.Subnet}: not a prefix with all host bits zero"));
            return;
        }

        if (!string.IsNullOrEmpty(config.Gateway) && (!IPAddress.TryParse(config.Gateway, out var gateway) || !subnet.Contains(gateway)))
        {
            problems.Add(new Problem($"ipam configuration: gateway {config.Gateway} is not in subnet {config.Subnet}"));
        }

        if (!string.IsNullOrEmpty(config.IPRange)
            && (!IPNetwork.TryParse(config.IPRange, out var range) || !subnet.Contains(range.BaseAddress) || range.PrefixLength < subnet.PrefixLength))
        {
            problems.Add(new Problem($"ipam configuration: range {config.IPRange} is not in subnet {config.Subnet}"));
        }
    }
}
