namespace Skep.Manager.Scheduling.Filters;

public sealed class MaxReplicasFilter : IPlacementFilter
{
    public bool Concerns(TaskNeeds needs) => needs.MaxReplicas > 0;

    public Refusal? Check(TaskNeeds needs, NodeView node) => (ulong)node.TasksOf(needs.ServiceId) < needs.MaxReplicas
        ? null
        : new Refusal("replicas", $"has {node.TasksOf(needs.ServiceId)} of {needs.MaxReplicas}");

    // Swarm's sentence names no number of nodes.
    public string Explain(int nodes) => "max replicas per node limit exceed";
}
