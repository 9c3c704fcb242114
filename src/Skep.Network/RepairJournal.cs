using System.Collections.Immutable;

namespace Skep.Network;

/// <summary>One thing that was found otherwise than it should be, and put right.</summary>
/// <param name="At">When it was found.</param>
/// <param name="Space">The namespace's name; <c>host</c> for the host's.</param>
/// <param name="Kind">What kind of thing it is.</param>
/// <param name="Cause">How it was otherwise.</param>
/// <param name="What">In words: <c>neighbour 10.0.1.4 on vxlan0 was not 02:42:0a:00:01:04</c>.</param>
public sealed record Repair(DateTimeOffset At, string Space, RepairKind Kind, RepairCause Cause, string What);

/// <summary>How often repairs of one kind and cause were needed in one namespace.</summary>
public sealed record RepairCount(string Space, RepairKind Kind, RepairCause Cause, long Count);

/// <summary>
/// The repairs since the daemon's start: counts by namespace, kind and cause, and the last hundred in full. What follows from a
/// wish is no repair. Thread-safe.
/// </summary>
public sealed class RepairJournal(TimeProvider clock)
{
    private const int Kept = 100;

    private readonly Lock _gate = new();
    private readonly Queue<Repair> _last = new();
    private readonly Dictionary<(string Space, RepairKind Kind, RepairCause Cause), long> _counts = [];
    private long _total;

    /// <summary>Repairs since the start.</summary>
    public long Total => Interlocked.Read(ref _total);

    /// <summary>The newest repairs, oldest first.</summary>
    public ImmutableArray<Repair> Last
    {
        get
        {
            lock (_gate)
            {
                return [.. _last];
            }
        }
    }

    /// <summary>Ordered by namespace, kind and cause.</summary>
    public ImmutableArray<RepairCount> Counts
    {
        get
        {
            lock (_gate)
            {
                return
                [
                    .. _counts.Select(c => new RepairCount(c.Key.Space, c.Key.Kind, c.Key.Cause, c.Value))
                        .OrderBy(c => c.Space, StringComparer.Ordinal).ThenBy(c => c.Kind).ThenBy(c => c.Cause),
                ];
            }
        }
    }

    internal void Add(string space, RepairKind kind, RepairCause cause, string what)
    {
        lock (_gate)
        {
            _total++;
            _counts[(space, kind, cause)] = _counts.GetValueOrDefault((space, kind, cause)) + 1;
            _last.Enqueue(new Repair(clock.GetUtcNow(), space, kind, cause, what));
            if (_last.Count > Kept)
            {
                _last.Dequeue();
            }
        }
    }
}
