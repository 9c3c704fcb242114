using Skep.Protocol.Node;

namespace Skep.Manager.Dispatch;

/// <summary>One task on its way out of balancing: who has confirmed, who is still waited for.</summary>
internal sealed class Drain(string taskId, string nodeId, ulong revision, IEnumerable<string> balancers)
{
    private readonly HashSet<string> _awaited = [.. balancers];
    private readonly List<string> _confirmed = [];
    private readonly List<string> _missing = [];

    public string TaskId { get; } = taskId;

    /// <summary>The task's own node, which is told how it ended.</summary>
    public string NodeId { get; } = nodeId;

    /// <summary>The revision from which nodes send it nothing new.</summary>
    public ulong Revision { get; } = revision;

    /// <summary>The clock's timestamp after which nobody is waited for.</summary>
    public long Deadline { get; init; }

    /// <summary>How long its flows may take to end afterwards.</summary>
    public TimeSpan Grace { get; set; }

    /// <summary>It is to stop, rather than only unhealthy.</summary>
    public bool Stopping { get; set; }

    public bool IsOver => _awaited.Count == 0;
    public IReadOnlyCollection<string> Awaited => _awaited;

    /// <summary>True when it was the last that was waited for.</summary>
    public bool Confirm(string balancer, ulong applied)
    {
        if (applied < Revision || !_awaited.Remove(balancer))
        {
            return false;
        }

        _confirmed.Add(balancer);
        return IsOver;
    }

    /// <summary>The node is not waited for; true when it was the last.</summary>
    public bool GiveUp(string balancer)
    {
        if (!_awaited.Remove(balancer))
        {
            return false;
        }

        _missing.Add(balancer);
        return IsOver;
    }

    public DrainedTask Outcome(Func<string, string> hostname)
    {
        var outcome = new DrainedTask
        {
            TaskId = TaskId,
            Revision = Revision,
            GraceMilliseconds = (long)Grace.TotalMilliseconds,
            Stopping = Stopping,
        };
        outcome.Confirmed.AddRange(_confirmed.Select(hostname).Order(StringComparer.Ordinal));
        outcome.Unconfirmed.AddRange(_missing.Select(hostname).Order(StringComparer.Ordinal));
        return outcome;
    }
}
