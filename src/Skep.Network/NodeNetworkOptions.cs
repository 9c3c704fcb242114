using System.Net;
using Skep.Kernel.Namespaces;

namespace Skep.Network;

/// <summary>What a node's network must know of its place.</summary>
public sealed record NodeNetworkOptions
{
    public required string NodeId { get; init; }

    /// <summary>This node's own address for the tunnels between nodes (the data path address).</summary>
    public required IPAddress Vtep { get; init; }

    /// <summary>Keeps this node's own choices (gateway addresses, host ports, numbers of namespaces) over a restart of the daemon.</summary>
    public required string StateFolder { get; init; }

    /// <summary>The data plane of iptables and IPVS instead of nftables.</summary>
    public bool Classic { get; init; }

    /// <summary>Where namespaces are mounted; people look for them at Docker's place.</summary>
    public string NamespaceFolder { get; init; } = "/run/docker/netns";

    /// <summary>The namespace that plays the host; null = the one of this process.</summary>
    public string? HostNamespace { get; init; }

    /// <summary>Subnets that the gateway bridge may take, in this order; empty = Docker's own, from 172.18.0.0/16 on.</summary>
    public IReadOnlyList<IPNetwork> GatewaySubnets { get; init; } = [];

    /// <summary>The control group whose sockets find backends themselves (<see cref="Sockets.SocketGroup"/>); null = there is none.</summary>
    public string? SocketGroup { get; init; }

    /// <summary>Whether sockets find backends themselves where the kernel can; otherwise packet rules do it for all of them.</summary>
    public bool SocketBalancing { get; init; } = true;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How often settings are read that the kernel gives no notice of. A second at most, for so long is a difference allowed to last.</summary>
    public TimeSpan SettingsPeriod { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>How often the way to each other node is looked at: what it carries, and what it breaks.</summary>
    public TimeSpan SurveyPeriod { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often everything is read back, noticed or not.</summary>
    public TimeSpan FullPassPeriod { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often it is read what the host's own programs listen on, of which the kernel gives no notice.</summary>
    public TimeSpan ListenersPeriod { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often others' packet rules are looked at for what cuts ours off.</summary>
    public TimeSpan FirewallPeriod { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Opens a namespace by the name of its file; the one that plays the host has none.</summary>
    /// <exception cref="IOException">It is not there.</exception>
    internal NetworkNamespace Open(string space) =>
        NetworkNamespace.Open(space.Length == 0 ? HostNamespace ?? "/proc/self/ns/net" : Path.Combine(NamespaceFolder, space));
}
