using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
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

        problems.AddRange(EncryptionRules.Check(spec));
        problems.AddRange(MtuRules.Check(spec));
        CheckFamilies(spec, problems);
        foreach (var config in spec.IPAMOptions?.Configs ?? [])
        {
            CheckSubnet(spec, config, problems);
        }

        if (spec.Ingress)
        {
            CheckIngressSubnets(spec, problems);
        }

        return problems.ToImmutable();
    }

    /// <summary>What Swarm does and this version does not; null when there is nothing of that.</summary>
    public static string? Unsupported(NetworkSpec spec) => spec switch
    {
        { DriverConfiguration.Name: { Length: > 0 } and not "overlay" } =>
            $"network driver \"{spec.DriverConfiguration.Name}\" is not done by this version; use overlay",
        { Ingress: true } when EncryptionRules.IsEncrypted(spec) =>
            "an encrypted ingress network is not done by this version: every node has a place on it, whether its kernel can encrypt or not",
        _ => null,
    };

    private static void CheckFamilies(NetworkSpec spec, ImmutableArray<Problem>.Builder problems)
    {
        if (!spec.EnableIPv4 && !spec.EnableIPv6)
        {
            problems.Add(new Problem("IPv4 or IPv6 must be enabled"));
        }
        else if (spec is { Ingress: true, EnableIPv4: false })
        {
            problems.Add(new Problem("the ingress network cannot be without IPv4: its nodes are told apart by it"));
        }
    }

    // The nodes' places and the way from the host into the mesh are in one subnet of each family.
    private static void CheckIngressSubnets(NetworkSpec spec, ImmutableArray<Problem>.Builder problems)
    {
        var subnets = (spec.IPAMOptions?.Configs ?? []).Select(c => c.Subnet).OfType<string>().Where(s => IPNetwork.TryParse(s, out _));
        foreach (var several in subnets.GroupBy(s => IPNetwork.Parse(s).BaseAddress.AddressFamily).Where(g => g.Count() > 1))
        {
            problems.Add(new Problem($"ipam configuration: the ingress network has one subnet of each family, not {string.Join(" and ", several)}"));
        }
    }

    private static void CheckSubnet(NetworkSpec spec, IpamConfig config, ImmutableArray<Problem>.Builder problems)
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

        var six = subnet.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;
        if (six ? !spec.EnableIPv6 : !spec.EnableIPv4)
        {
            problems.Add(new Problem($"ipam configuration: subnet {config.Subnet} is {(six ? "IPv6, which the network does not have: add --ipv6" : "IPv4, which the network does not have")}"));
        }

        if (subnet.PrefixLength >= (six ? 128 : 32))
        {
            problems.Add(new Problem($"ipam configuration: subnet {config.Subnet} has no address beside its gateway's"));
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
