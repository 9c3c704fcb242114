using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Network;

namespace Skep.Testing.Agent;

/// <summary>A data plane in memory: it knows which containers have a place.</summary>
public sealed class FakeNetwork : INodeNetwork
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Sandbox> _attached = [];

    public Watched<ulong> AppliedRevision { get; } = new(0, (next, now) => next != now);

    public Watched<string> CipherGeneration { get; } = new("", (_, _) => true);

    /// <summary>Runs before a container gets its place; it may wait or throw.</summary>
    public Func<SandboxRequest, CancellationToken, Task> Attaching { get; set; } = (_, _) => Task.CompletedTask;

    public NodePlan Plan { get; private set; } = NodePlan.Empty;

    public IReadOnlyCollection<string> Attached
    {
        get
        {
            lock (_gate)
            {
                return [.. _attached.Keys];
            }
        }
    }

    public void Submit(NodePlan plan, PlanDelta? delta)
    {
        Plan = plan;
        AppliedRevision.TryPublish(plan.Revision);
    }

    public async Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken cancellationToken)
    {
        await Attaching(request, cancellationToken);
        var sandbox = new Sandbox(request.ContainerId, $"/run/docker/netns/{request.ContainerId[..12]}") { HostPorts = request.HostPorts };
        lock (_gate)
        {
            _attached[request.ContainerId] = sandbox;
        }

        return sandbox;
    }

    public Task DetachAsync(string containerId, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _attached.Remove(containerId);
        }

        return Task.CompletedTask;
    }

    public Sandbox? FindSandbox(string containerId)
    {
        lock (_gate)
        {
            return _attached.GetValueOrDefault(containerId);
        }
    }

    /// <summary>What the sockets of a container with a place look like; null = the kernel does not tell.</summary>
    public Func<string, SandboxTraffic?> Traffic { get; set; } = _ => null;

    public SandboxTraffic? TrafficOf(string containerId) => Traffic(containerId);

    public Watched<System.Collections.Immutable.ImmutableArray<string>> Findings { get; } = new([], (next, now) => !next.SequenceEqual(now));

    public LocalNetwork? Describe(string networkId) => null;

    public LocalNetwork? DescribeGatewayBridge() => null;
}
