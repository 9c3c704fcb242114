namespace Skep.Daemon.Memory;

/// <summary>
/// Gives memory back when the daemon has come to rest after work, the start being its first work: the heap is compacted, what malloc
/// kept is returned, and code that only the work needed leaves the resident set. Nothing happens while there is work, and nothing
/// again until there was some.
/// </summary>
/// <param name="clock">Whose time.</param>
/// <param name="allocatedBytes">What was allocated since the process began.</param>
/// <param name="heapBytes">What the heap holds of the system's memory.</param>
/// <param name="release">Gives back.</param>
internal sealed class IdleMemory(TimeProvider clock, Func<long> allocatedBytes, Func<long> heapBytes, Action release)
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <summary>Allocating less than this in one period is rest: heartbeats, probes, audits and a reader or two of the API take 1.5 MiB a second.</summary>
    public const long Rest = 8 << 20;

    /// <summary>Having allocated this much since the last time, in periods that were none of rest, is work that was worth it.</summary>
    public const long Work = 8 << 20;

    /// <summary>A heap that has grown by this much since the last time: work that went slowly, or what rest itself let fall.</summary>
    public const long Growth = 16 << 20;

    private long _seen;
    private long _heap = long.MaxValue - Growth;

    // The start counts as work whatever it allocated.
    private long _worked = Work;

    public static IdleMemory Create(TimeProvider clock) =>
        new(clock, () => GC.GetTotalAllocatedBytes(), () => GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes, ResidentMemory.Release);

    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Period, clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            Look();
        }
    }

    /// <summary>One look, a period after the last.</summary>
    internal void Look()
    {
        var allocated = allocatedBytes();
        var since = allocated - _seen;
        _seen = allocated;
        if (since >= Rest)
        {
            _worked += since;
        }
        else if (_worked >= Work || heapBytes() >= _heap + Growth)
        {
            release();
            (_worked, _heap) = (0, heapBytes());
        }
    }
}
