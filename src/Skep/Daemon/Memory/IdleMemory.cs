namespace Skep.Daemon.Memory;

/// <summary>
/// Gives memory back when the daemon has come to rest after work, the start being its first work: the heap is compacted, what malloc
/// kept is returned, and code that only the work needed leaves the resident set. Nothing happens while there is work, and nothing
/// again until there was some.
/// </summary>
internal sealed class IdleMemory(TimeProvider clock, Func<long> allocatedBytes, Action release)
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <summary>Allocating less than this in one period is rest: heartbeats, probes, audits and a reader or two of the API take 1.5 MiB a second.</summary>
    public const long Rest = 8 << 20;

    /// <summary>Having allocated this much since the last time, in periods that were none of rest, is work that was worth it.</summary>
    public const long Work = 8 << 20;

    private long _seen;

    // The start counts as work whatever it allocated.
    private long _worked = Work;

    public static IdleMemory Create(TimeProvider clock) =>
        new(clock, () => GC.GetTotalAllocatedBytes(), ResidentMemory.Release);

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
        else if (_worked >= Work)
        {
            release();
            _worked = 0;
        }
    }
}
