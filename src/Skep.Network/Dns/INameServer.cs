using Skep.Model.Plans;
using Skep.Model.Specs;

namespace Skep.Network.Dns;

/// <summary>The name servers at 127.0.0.11 of all sandboxes of this node. Every call is safe to repeat.</summary>
public interface INameServer
{
    /// <summary>
    /// Starts (or takes over, or changes) the name server of one sandbox and returns the text of its /etc/resolv.conf. The
    /// sandbox's namespace exists and has its interfaces when this is called, and the rules that lead there (<see cref="NameRules"/>).
    /// </summary>
    Task<string> AddAsync(SandboxNames sandbox, CancellationToken cancellationToken);

    /// <summary>Stops a sandbox's name server, before its namespace goes away. An unknown id is no error.</summary>
    Task RemoveAsync(string containerId, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the names of a newer plan where that is much work, so that <see cref="Update"/> finds them made. Of any thread, while the kernel is
    /// being brought to that plan. Changes no answer.
    /// </summary>
    void Prepare(NodePlan plan, PlanDelta? delta)
    {
    }

    /// <summary>Takes over the names of a newer plan. Called when the kernel holds that plan. Returns at once.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="delta">What may differ in it from the plan before; null when that is not known.</param>
    void Update(NodePlan plan, PlanDelta? delta);
}

/// <summary>What a name server must know of the sandbox that it serves.</summary>
public sealed record SandboxNames(string ContainerId, string TaskId, string NamespacePath)
{
    /// <summary>The networks that it is attached to, in the order of its interfaces (ingress, which has no names, included).</summary>
    public IReadOnlyList<PlanNetwork> Networks { get; init; } = [];

    /// <summary>It has a way out of the swarm's networks (the gateway bridge); without one, host servers are not asked.</summary>
    public bool External { get; init; } = true;

    public DnsConfig Dns { get; init; } = new();
}
