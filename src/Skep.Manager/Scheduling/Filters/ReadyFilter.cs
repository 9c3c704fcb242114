using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Scheduling.Filters;

public sealed class ReadyFilter : IPlacementFilter
{
    public bool Concerns(TaskNeeds needs) => true;

    public Refusal? Check(TaskNeeds needs, NodeView node) => node.Node switch
    {
        { Status.State: NodeState.Ready, Spec.Availability: NodeSpec.Active } => null,
        { Status.State: NodeState.Ready } other => new Refusal("availability", $"is {other.Spec.Availability}"),
        var other => new Refusal("state", $"is {other?.Status.State}"),
    };

    public string Explain(int nodes) => $"{Counted.Nodes(nodes)} not available for new tasks";
}
