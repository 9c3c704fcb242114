using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Orchestration;

/// <summary>A place that one task of a service fills at a time: a number (replicated) or a node (global).</summary>
public readonly record struct SlotKey(ulong Number, string NodeId) : IComparable<SlotKey>
{
    public static SlotKey Of(SwarmTask task) => task.Slot != 0 ? new SlotKey(task.Slot, "") : new SlotKey(0, task.NodeId);

    public int CompareTo(SlotKey other) => Number != other.Number ? Number.CompareTo(other.Number) : string.CompareOrdinal(NodeId, other.NodeId);

    public static bool operator <(SlotKey left, SlotKey right) => left.CompareTo(right) < 0;

    public static bool operator >(SlotKey left, SlotKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(SlotKey left, SlotKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(SlotKey left, SlotKey right) => left.CompareTo(right) >= 0;
}

/// <summary>The tasks of one slot, the oldest first.</summary>
public sealed class Slot(SlotKey key)
{
    private readonly List<SwarmTask> _tasks = [];

    public SlotKey Key { get; } = key;
    public IReadOnlyList<SwarmTask> Tasks => _tasks;
    public SwarmTask? Newest => _tasks.Count == 0 ? null : _tasks[^1];

    /// <summary>Tasks that shall run.</summary>
    public IEnumerable<SwarmTask> Live => _tasks.Where(t => t.DesiredState <= TaskState.Running);

    public bool HasLive => _tasks.Exists(t => t.DesiredState <= TaskState.Running);

    public void Put(SwarmTask task)
    {
        var index = _tasks.FindIndex(t => t.Id == task.Id);
        if (index >= 0)
        {
            _tasks[index] = task;
        }
        else
        {
            _tasks.Add(task);
        }
    }

    public void Drop(SwarmTask task) => _tasks.RemoveAll(t => t.Id == task.Id);

    public void Sort() => _tasks.Sort((a, b) => a.CreatedAt != b.CreatedAt ? a.CreatedAt.CompareTo(b.CreatedAt) : string.CompareOrdinal(a.Id, b.Id));
}
