namespace Skep.Manager.Scheduling.Filters;

public sealed class HostPortFilter : IPlacementFilter
{
    public bool Concerns(TaskNeeds needs) => needs.HostPorts.Count > 0;

    public Refusal? Check(TaskNeeds needs, NodeView node)
    {
        foreach (var port in needs.HostPorts)
        {
            if (node.UsesHostPort(port))
            {
                return new Refusal("host port", $"{port.Port}/{port.Protocol} is in use");
            }
        }

        return null;
    }

    public string Explain(int nodes) => $"host-mode port already in use on {Counted.Nodes(nodes)}";
}
