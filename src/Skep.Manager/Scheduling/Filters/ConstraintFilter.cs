namespace Skep.Manager.Scheduling.Filters;

public sealed class ConstraintFilter : IPlacementFilter
{
    public bool Concerns(TaskNeeds needs) => needs.Constraints.Count > 0;

    public Refusal? Check(TaskNeeds needs, NodeView node) =>
        needs.Constraints.FirstOrDefault(c => !c.Matches(node.Node!)) is { } broken
            ? new Refusal("constraint", $"{broken.Key}{(broken.Equal ? "==" : "!=")}{broken.Value} does not hold")
            : null;

    public string Explain(int nodes) => $"scheduling constraints not satisfied on {Counted.Nodes(nodes)}";
}
