namespace Skep.Daemon.Supervision;

/// <summary>
/// Runs the daemon's loops. A loop ends by our own cancellation and in no other way: any other end, even a quiet one, goes to
/// <paramref name="fatal"/>, which is given the loop's name and the cause (null for a quiet end).
/// </summary>
public sealed class LoopSupervisor(Action<string, Exception?> fatal, ILogger<LoopSupervisor> logger)
{
    /// <summary>Never throws; completes when the loop has ended.</summary>
    public async Task RunAsync(string name, Func<CancellationToken, Task> body, CancellationToken stopping)
    {
        // A body that computes before its first wait must not hold up the start of the next stage.
        await Task.Yield();
        try
        {
            await body(stopping);
            if (stopping.IsCancellationRequested)
            {
                return;
            }

            logger.LoopEnded(name);
            fatal(name, null);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        catch (Exception cause)
        {
            logger.LoopFailed(cause, name);
            fatal(name, cause);
        }
    }
}
