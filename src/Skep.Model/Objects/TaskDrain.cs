namespace Skep.Model.Objects;

/// <summary>The receipt of a task's drain: who had confirmed that it sends nothing new to the task when that was told to stop.</summary>
public sealed record TaskDrain
{
    /// <summary>The store's revision in which the task was taken out of balancing; 0 when no manager told it in time.</summary>
    public ulong Revision { get; init; }

    /// <summary>Host names of the nodes that had this revision in their kernel.</summary>
    public IReadOnlyList<string> Confirmed { get; init; } = [];

    /// <summary>Host names of the nodes that had not, and were not waited for any longer.</summary>
    public IReadOnlyList<string> Unconfirmed { get; init; } = [];

    /// <summary>Connections to the task when all had confirmed.</summary>
    public int FlowsAtStart { get; init; }

    /// <summary>Connections that were still open when the task got its stop signal.</summary>
    public int FlowsLeft { get; init; }

    /// <summary>Nanoseconds from the wish that the task should stop to the stop signal.</summary>
    public long Took { get; init; }

    /// <summary>In words, as it stands in the task's message.</summary>
    public override string ToString()
    {
        var nodes = Confirmed.Count + Unconfirmed.Count;
        var who = Revision == 0
            ? "no manager said who had confirmed"
            : $"{Confirmed.Count}/{nodes} nodes confirmed{(Unconfirmed.Count == 0 ? "" : $" (not {string.Join(", ", Unconfirmed)})")}";
        return $"drained in {Took / 1_000_000} ms: {who}, {FlowsAtStart - FlowsLeft} of {FlowsAtStart} flows ended";
    }
}
