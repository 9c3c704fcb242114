using System.Collections.Immutable;
using System.Net;
using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network.Desired;
using Skep.Network.Ejection;
using Skep.Network.Probes;
using Skep.Network.Relays;
using Skep.Network.Sockets;

namespace Skep.Network;

/// <summary>The node's data plane as the agent sees it. Every call is safe to repeat; the kernel follows by reconciliation.</summary>
public interface INodeNetwork
{
    private static readonly Watched<ImmutableArray<string>> s_noFindings = new([], (_, _) => false);

    /// <summary>The newest plan revision that the kernel holds completely.</summary>
    Watched<ulong> AppliedRevision { get; }

    /// <summary>This node's part in the keys of what it sends; the managers tell it to its peers. Empty = its kernel cannot encrypt.</summary>
    Watched<string> CipherGeneration { get; }

    /// <summary>Takes over a newer plan. Returns at once; <see cref="AppliedRevision"/> tells when the kernel has it.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="delta">What may differ in it from the plan that was submitted before; null when that is not known.</param>
    void Submit(NodePlan plan, PlanDelta? delta);

    /// <summary>
    /// Takes over a plan that was kept elsewhere while the daemon was away, unless the kernel held a newer one when it stopped: an endpoint that had
    /// left balancing by then must not come back.
    /// </summary>
    void Resume(NodePlan plan) => Submit(plan, delta: null);

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

    /// <summary>What the container's sockets tell of the flows to it, read from the kernel; null when that is not known.</summary>
    SandboxTraffic? TrafficOf(string containerId);

    /// <summary>What this node has of a network (endpoints, peers) for <c>docker network inspect</c>; null when nothing.</summary>
    LocalNetwork? Describe(string networkId);

    /// <summary>The networks of the swarm that this node takes part in: the ingress network, and those of its tasks.</summary>
    IReadOnlyList<LocalNetwork> DescribeNetworks() => [];

    /// <summary>What is wrong on the ways to other nodes, with the remedy; one sentence each.</summary>
    Watched<ImmutableArray<string>> Findings => s_noFindings;

    /// <summary>The ways to the other nodes.</summary>
    IReadOnlyList<PeerPath> DescribePaths() => [];

    /// <summary>Backends that this node sends nothing new to, though the plan has them.</summary>
    IReadOnlyList<EjectedBackend> DescribeEjected() => [];

    /// <summary>What other firewalls of this host cut off, with the remedy.</summary>
    IReadOnlyList<BlockedPath> DescribeBlocked() => [];

    /// <summary>How often backends were left out by this node and came back since the daemon's start.</summary>
    EjectionCounts EjectionCounts => default;

    /// <summary>What others had changed in the kernel and was put right; null when this node repairs nothing.</summary>
    RepairJournal? Repairs => null;

    /// <summary>Whether sockets of tasks find backends themselves; null before the first pass.</summary>
    SocketBalancing? SocketBalancing => null;

    /// <summary>The encrypted networks of this node with their peers and counters, read from the kernel.</summary>
    IReadOnlyList<EncryptedNetwork> EncryptedNetworks() => [];

    /// <summary>The relay that tells tasks their clients by PROXY headers; null when there is no place for one.</summary>
    RelayStatus? DescribeRelay() => null;

    /// <summary>The gateway bridge, for <c>docker network inspect docker_gwbridge</c>; null while the node is in no swarm.</summary>
    LocalNetwork? DescribeGatewayBridge();
}

/// <summary>A container's wish for a place on networks.</summary>
public sealed record SandboxRequest(string ContainerId, string TaskId)
{
    /// <summary>The task's service, whose labels may restrict the host ports; empty = none.</summary>
    public string ServiceId { get; init; } = "";

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
    public IPAddress? Gateway6 { get; init; }
}

/// <summary>A network as it is on this node.</summary>
public sealed record LocalNetwork(string Id, string Name)
{
    public DateTimeOffset CreatedAt { get; init; }
    public string Subnet { get; init; } = "";
    public string Gateway { get; init; } = "";

    /// <summary>Empty on a network of IPv4 alone.</summary>
    public string Subnet6 { get; init; } = "";
    public string Gateway6 { get; init; } = "";
    public IReadOnlyList<LocalEndpoint> Endpoints { get; init; } = [];
    public IReadOnlyList<PlanPeer> Peers { get; init; } = [];

    /// <summary>The swarm's network as the managers told of it; null for the gateway bridge.</summary>
    public PlanNetwork? Plan { get; init; }
}

/// <summary>Key is the container's id, or ingress-sbox. Address is a prefix, empty on a network of IPv6 alone.</summary>
public sealed record LocalEndpoint(string Key, string Name, string EndpointId, string Mac, string Address)
{
    /// <summary>Empty without one.</summary>
    public string Address6 { get; init; } = "";
}
