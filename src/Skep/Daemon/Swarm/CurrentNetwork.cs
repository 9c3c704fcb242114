using System.Collections.Immutable;
using Skep.Model.Errors;
using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Network;
using Skep.Network.Desired;
using Skep.Network.Ejection;
using Skep.Network.Probes;
using Skep.Network.Relays;
using Skep.Network.Sockets;

namespace Skep.Daemon.Swarm;

/// <summary>The network of the present membership, for those who ask without caring whether there is one.</summary>
internal sealed class CurrentNetwork(Func<INodeNetwork?> current) : INodeNetwork
{
    private readonly Watched<ulong> _nothing = new(0, (_, _) => false);
    private readonly Watched<string> _noCipher = new("", (_, _) => false);
    private readonly Watched<ImmutableArray<string>> _noFindings = new([], (_, _) => false);

    public Watched<ulong> AppliedRevision => current()?.AppliedRevision ?? _nothing;

    public Watched<string> CipherGeneration => current()?.CipherGeneration ?? _noCipher;

    public Watched<ImmutableArray<string>> Findings => current()?.Findings ?? _noFindings;

    public void Submit(NodePlan plan, PlanDelta? delta) => Required().Submit(plan, delta);

    public Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken cancellationToken) => Required().AttachAsync(request, cancellationToken);

    public Task DetachAsync(string containerId, CancellationToken cancellationToken) =>
        current()?.DetachAsync(containerId, cancellationToken) ?? Task.CompletedTask;

    public Sandbox? FindSandbox(string containerId) => current()?.FindSandbox(containerId);

    public SandboxTraffic? TrafficOf(string containerId) => current()?.TrafficOf(containerId);

    public LocalNetwork? Describe(string networkId) => current()?.Describe(networkId);

    public IReadOnlyList<LocalNetwork> DescribeNetworks() => current()?.DescribeNetworks() ?? [];

    public IReadOnlyList<PeerPath> DescribePaths() => current()?.DescribePaths() ?? [];

    public IReadOnlyList<EjectedBackend> DescribeEjected() => current()?.DescribeEjected() ?? [];

    public IReadOnlyList<BlockedPath> DescribeBlocked() => current()?.DescribeBlocked() ?? [];

    public EjectionCounts EjectionCounts => current()?.EjectionCounts ?? default;

    public RepairJournal? Repairs => current()?.Repairs;

    public SocketBalancing? SocketBalancing => current()?.SocketBalancing;

    public IReadOnlyList<EncryptedNetwork> EncryptedNetworks() => current()?.EncryptedNetworks() ?? [];

    public RelayStatus? DescribeRelay() => current()?.DescribeRelay();

    public LocalNetwork? DescribeGatewayBridge() => current()?.DescribeGatewayBridge();

    private INodeNetwork Required() => current() ?? throw new ClusterException(ErrorKind.Unavailable, "This node is not part of a swarm");
}
