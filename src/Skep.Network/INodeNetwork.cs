using System.Net;
using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Model.Specs;

namespace Skep.Network;

/// <summary>The node's data plane as the agent sees it. Every call is safe to repeat; the kernel follows by reconciliation.</summary>
public interface INodeNetwork
{
    /// <summary>The newest plan revision that the kernel holds completely.</summary>
    Watched<ulong> AppliedRevision { get; }

    /// <summary>Takes over a newer plan. Returns at once; <see cref="AppliedRevision"/> tells when the kernel has it.</summary>
    void Submit(NodePlan plan);

    /// <summary>
    /// Makes (or finds again) the network namespace of a container with its interfaces, routes, published host ports and name
    /// server, and returns when the kernel has them all.
    /// </summary>
    Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken cancellationToken);

    /// <summary>Removes a container's namespace and all that belongs to it. An unknown id is no error.</summary>
    Task DetachAsync(string containerId, CancellationToken cancellationToken);

    /// <summary>
    /// A container's sandbox as it is noted now, without waiting for the kernel and without <see cref="Sandbox.ResolvConf"/>; null when it
    /// has none. Cheap: <c>docker ps</c> asks for each container.
    /// </summary>
    Sandbox? FindSandbox(string containerId);

    /// <summary>What this node has of a network (endpoints, peers) for <c>docker network inspect</c>; null when nothing.</summary>
    LocalNetwork? Describe(string networkId);

    /// <summary>The gateway bridge, for <c>docker network inspect docker_gwbridge</c>; null while the node is in no swarm.</summary>
    LocalNetwork? DescribeGatewayBridge();
}

/// <summary>A container's wish for a place on networks.</summary>
public sealed record SandboxRequest(string ContainerId, string TaskId)
{
    /// <summary>Its container name, shown by <c>docker network inspect</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>In the order of the container's interfaces: ingress first, then as the service names them.</summary>
    public IReadOnlyList<SandboxAttachment> Attachments { get; init; } = [];

    /// <summary>Ports published on this node only; a published port of 0 asks for an ephemeral one.</summary>
    public IReadOnlyList<PortConfig> HostPorts { get; init; } = [];

    public DnsConfig Dns { get; init; } = new();
}

/// <summary>Addresses are prefixes: 10.0.1.5/24.</summary>
public sealed record SandboxAttachment(PlanNetwork Network, IReadOnlyList<string> Addresses);

/// <summary>A container's network namespace, ready for use.</summary>
public sealed record Sandbox(string ContainerId, string NamespacePath)
{
    /// <summary>Interfaces in order: eth0, eth1, …; the gateway bridge's is last.</summary>
    public IReadOnlyList<SandboxInterface> Interfaces { get; init; } = [];

    /// <summary>Host ports with the numbers that were taken.</summary>
    public IReadOnlyList<PortConfig> HostPorts { get; init; } = [];

    /// <summary>The text for the container's /etc/resolv.conf.</summary>
    public string ResolvConf { get; init; } = "";
}

/// <summary>One interface; NetworkId is the network's, or docker_gwbridge's local id.</summary>
public sealed record SandboxInterface(string Name, string NetworkId, string NetworkName, string Mac, IReadOnlyList<string> Addresses)
{
    public string EndpointId { get; init; } = "";
    public IPAddress? Gateway { get; init; }
}

/// <summary>A network as it is on this node.</summary>
public sealed record LocalNetwork(string Id, string Name)
{
    public DateTimeOffset CreatedAt { get; init; }
    public string Subnet { get; init; } = "";
    public string Gateway { get; init; } = "";
    public IReadOnlyList<LocalEndpoint> Endpoints { get; init; } = [];
    public IReadOnlyList<PlanPeer> Peers { get; init; } = [];
}

/// <summary>Key is the container's id, or ingress-sbox.</summary>
public sealed record LocalEndpoint(string Key, string Name, string EndpointId, string Mac, string Address);
