namespace Skep.Manager.Scheduling.Filters;

/// <summary>Only reservations are counted; limits promise nothing.</summary>
public sealed class ResourceFilter : IPlacementFilter
{
    public bool Concerns(TaskNeeds needs) =>
        needs.Reservations is { } r && (r.NanoCPUs is > 0 || r.MemoryBytes is > 0 || r.GenericResources is { Count: > 0 });

    public Refusal? Check(TaskNeeds needs, NodeView node)
    {
        var wanted = needs.Reservations!;
        if (wanted.NanoCPUs is > 0 and { } cpus && cpus > node.FreeNanoCpus)
        {
            return new Refusal("cpu", $"needs {cpus} billionths of a processor, {node.FreeNanoCpus} free");
        }

        if (wanted.MemoryBytes is > 0 and { } memory && memory > node.FreeMemory)
        {
            return new Refusal("memory", $"needs {memory} bytes, {node.FreeMemory} free");
        }

        foreach (var one in wanted.GenericResources ?? [])
        {
            if (one.DiscreteResourceSpec is { } generic && generic.Value > node.FreeGeneric(generic.Kind))
            {
                return new Refusal(generic.Kind, $"needs {generic.Value}, {node.FreeGeneric(generic.Kind)} free");
            }
        }

        return null;
    }

    public string Explain(int nodes) => $"insufficient resources on {Counted.Nodes(nodes)}";
}
