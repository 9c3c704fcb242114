using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Scheduling;

/// <summary>
/// Where a version of a service failed lately: a node that fails it again and again is tried last. Read from the tasks themselves,
/// so a new leader knows as much as the history that is kept.
/// </summary>
public sealed class FailureLog
{
    public const int Limit = 5;
    private static readonly TimeSpan s_memory = TimeSpan.FromMinutes(5);
    private readonly Dictionary<(string ServiceId, ulong SpecVersion, string NodeId), Dictionary<string, DateTimeOffset>> _failures = [];

    public void Note(SwarmTask task)
    {
        if (task.Status.State is not (TaskState.Failed or TaskState.Rejected) || task.NodeId.Length == 0)
        {
            return;
        }

        var key = (task.ServiceId, task.SpecVersion, task.NodeId);
        if (!_failures.TryGetValue(key, out var times))
        {
            _failures[key] = times = [];
        }

        times[task.Id] = task.Status.AppliedAt ?? task.Status.Timestamp;
    }

    /// <summary>Did the version fail there so often within the last minutes that the node is tried last?</summary>
    public bool IsSuspect(string serviceId, ulong specVersion, string nodeId, DateTimeOffset now)
    {
        if (_failures.Count == 0 || !_failures.TryGetValue((serviceId, specVersion, nodeId), out var times))
        {
            return false;
        }

        foreach (var old in times.Where(t => now - t.Value > s_memory).Select(t => t.Key).ToArray())
        {
            times.Remove(old);
        }

        if (times.Count == 0)
        {
            _failures.Remove((serviceId, specVersion, nodeId));
        }

        return times.Count >= Limit;
    }
}
