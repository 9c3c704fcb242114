using Skep.Model.Errors;
using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Network;

namespace Skep.Daemon.Swarm;

/// <summary>The network of the present membership, for those who ask without caring whether there is one.</summary>
internal sealed class CurrentNetwork(Func<INodeNetwork?> current) : INodeNetwork
{
    private readonly Watched<ulong> _nothing = new(0, (_, _) => false);

    public Watched<ulong> AppliedRevision => current()?.AppliedRevision ?? _nothing;

    public void Submit(NodePlan plan) => Required().Submit(plan);

    public Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken cancellationToken) => Required().AttachAsync(request, cancellationToken);

    public Task DetachAsync(string containerId, CancellationToken cancellationToken) =>
        current()?.DetachAsync(containerId, cancellationToken) ?? Task.CompletedTask;

    public Sandbox? FindSandbox(string containerId) => current()?.FindSandbox(containerId);

    public LocalNetwork? Describe(string networkId) => current()?.Describe(networkId);

    public LocalNetwork? DescribeGatewayBridge() => current()?.DescribeGatewayBridge();

    private INodeNetwork Required() => current() ?? throw new ClusterException(ErrorKind.Unavailable, "This node is not part of a swarm");
}
