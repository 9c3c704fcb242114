namespace Skep.Manager.Scheduling;

/// <summary>
/// One reason why a task may not run on a node. Filters hold no state: the same inputs give the same answer. The scheduler groups
/// refusals into the sentence that the user sees in <c>service ps</c>.
/// </summary>
public interface IPlacementFilter
{
    /// <summary>False when a task asks for nothing that this filter looks at; it is skipped for every node then.</summary>
    bool Concerns(TaskNeeds needs);

    /// <summary>Null when the task fits.</summary>
    Refusal? Check(TaskNeeds needs, NodeView node);

    /// <summary>What refused that many nodes, in the words that Swarm's users know.</summary>
    string Explain(int nodes);
}

/// <summary>Why one node does not fit: what was looked at, and what is missing.</summary>
public sealed record Refusal(string What, string Why);
