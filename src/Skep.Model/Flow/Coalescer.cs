namespace Skep.Model.Flow;

/// <summary>
/// Turns bursts of signals into single passes. A pass begins when no signal came for <c>quiet</c>, or <c>longest</c> after the
/// first one; with a quiet of zero it begins at once. A signal during a pass causes exactly one more pass.
/// </summary>
public sealed class Coalescer(TimeProvider clock, TimeSpan quiet, TimeSpan longest)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _signal = NewSignal();

    /// <summary>Asks for a pass. Never blocks.</summary>
    public void Signal()
    {
        lock (_gate)
        {
            _signal.TrySetResult();
        }
    }

    /// <summary>Runs <paramref name="pass"/> once per burst until cancelled.</summary>
    public async Task RunAsync(Func<CancellationToken, Task> pass, CancellationToken stopping)
    {
        while (true)
        {
            await NextAsync(stopping);
            await pass(stopping);
        }
    }

    /// <summary>Waits until a pass is due and takes its signals.</summary>
    public async Task NextAsync(CancellationToken stopping)
    {
        await TakeAsync(stopping);
        var first = clock.GetTimestamp();
        while (quiet > TimeSpan.Zero && longest - clock.GetElapsedTime(first) is { Ticks: > 0 } left)
        {
            try
            {
                await PendingAsync().WaitAsync(quiet < left ? quiet : left, clock, stopping);
            }
            catch (TimeoutException)
            {
                return;
            }

            await TakeAsync(stopping);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task PendingAsync()
    {
        lock (_gate)
        {
            return _signal.Task;
        }
    }

    private async Task TakeAsync(CancellationToken stopping)
    {
        await PendingAsync().WaitAsync(stopping);
        lock (_gate)
        {
            _signal = NewSignal();
        }
    }
}
