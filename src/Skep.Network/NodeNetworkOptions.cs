using System.Net;

namespace Skep.Network;

/// <summary>What a node's network must know of its place.</summary>
public sealed record NodeNetworkOptions
{
    public required string NodeId { get; init; }

    /// <summary>This node's own address for the tunnels between nodes (the data path address).</summary>
    public required IPAddress Vtep { get; init; }

    /// <summary>Keeps this node's own choices (gateway addresses, host ports, numbers of namespaces) over a restart of the daemon.</summary>
    public required string StateFolder { get; init; }

    /// <summary>Where namespaces are mounted; people look for them at Docker's place.</summary>
    public string NamespaceFolder { get; init; } = "/run/docker/netns";

    /// <summary>The namespace that plays the host; null = the one of this process.</summary>
    public string? HostNamespace { get; init; }

    /// <summary>Subnets that the gateway bridge may take, in this order; empty = Docker's own, from 172.18.0.0/16 on.</summary>
    public IReadOnlyList<IPNetwork> GatewaySubnets { get; init; } = [];

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How often settings are read that the kernel gives no notice of. A second at most, for so long is a difference allowed to last.</summary>
    public TimeSpan SettingsPeriod { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>How often everything is read back, noticed or not.</summary>
    public TimeSpan FullPassPeriod { get; init; } = TimeSpan.FromSeconds(30);
}
