using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Network;

namespace Skep.UnitTests.Daemon.Http.Fakes;

/// <summary>A data plane that only has descriptions.</summary>
internal sealed class FakeNodeNetwork : INodeNetwork
{
    public Watched<ulong> AppliedRevision { get; } = new(0, (next, old) => next > old);

    public Watched<string> CipherGeneration { get; } = new("", (_, _) => true);

    public Dictionary<string, LocalNetwork> Networks { get; } = [];

    public LocalNetwork? GatewayBridge { get; set; }

    public Dictionary<string, Sandbox> Sandboxes { get; } = [];

    public Sandbox? FindSandbox(string containerId) => Sandboxes.GetValueOrDefault(containerId);

    public void Submit(NodePlan plan, PlanDelta? delta) => AppliedRevision.TryPublish(plan.Revision);

    public Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task DetachAsync(string containerId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public SandboxTraffic? TrafficOf(string containerId) => null;

    public LocalNetwork? Describe(string networkId) => Networks.GetValueOrDefault(networkId);

    public IReadOnlyList<LocalNetwork> DescribeNetworks() => [.. Networks.Values];

    public LocalNetwork? DescribeGatewayBridge() => GatewayBridge;
}
