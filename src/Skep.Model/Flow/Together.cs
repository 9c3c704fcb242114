namespace Skep.Model.Flow;

/// <summary>
/// Loops that live and end together. One that fails ends the others and its failure is the caller's: awaited one by one, the rest
/// would run for ever beside a dead one and nobody would hear of it.
/// </summary>
public static class Together
{
    /// <summary>Returns when every loop has returned; throws what the first one threw.</summary>
    public static async Task RunAsync(CancellationToken stopping, params Func<CancellationToken, Task>[] loops)
    {
        ArgumentNullException.ThrowIfNull(loops);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var running = loops.Select(loop => loop(ending.Token)).ToList();
        var all = Task.WhenAll(running);
        var left = new HashSet<Task>(running);
        while (left.Count > 0)
        {
            var ended = await Task.WhenAny(left);
            left.Remove(ended);
            if (!ended.IsCompletedSuccessfully)
            {
                await ending.CancelAsync();
                await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await ended;
            }
        }
    }
}
