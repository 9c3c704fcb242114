using Skep.Model.Flow;
using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Agent.Tasks;

/// <summary>Work that a wish may cut short.</summary>
internal static class TaskWish
{
    public static bool IsWithdrawn(SwarmTask wish) => wish.DesiredState >= TaskState.Shutdown;

    /// <summary>Runs what may take long and is of no use to a task that is to end. Returns early when the wish is withdrawn.</summary>
    /// <returns>False when it was cut short.</returns>
    public static async Task<bool> UnlessWithdrawnAsync(Watched<SwarmTask> wish, Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var withdrawn = CutAsync(wish, cut);
        try
        {
            await work(cut.Token);
            return true;
        }
        catch (Exception) when (IsWithdrawn(wish.Value) && cut.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            await cut.CancelAsync();
            await withdrawn;
        }
    }

    private static async Task CutAsync(Watched<SwarmTask> wish, CancellationTokenSource cut)
    {
        try
        {
            await wish.WaitAsync(IsWithdrawn, cut.Token);
            await cut.CancelAsync();
        }
        catch (OperationCanceledException)
        {
            // The work has ended before.
        }
    }
}
