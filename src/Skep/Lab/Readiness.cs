using System.Threading.Channels;
using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>Waits until a daemon answers: for its socket to appear, for its end, or for time to run out, whichever is first.</summary>
internal static class Readiness
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    // The socket's file appears a moment before somebody accepts on it, and for that there is no event.
    private static readonly TimeSpan s_retry = TimeSpan.FromMilliseconds(50);

    public static async Task WaitAsync(Machine machine, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (machine.Init is not { } init || machine.Daemon is not { } daemon)
        {
            throw new ClusterException(ErrorKind.Unavailable, $"The daemon of {machine.Name} ended at once. {machine.TailOfLog()}");
        }

        var events = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        using var watcher = new FileSystemWatcher($"/proc/{init.Id}/root/run");
        watcher.Created += (_, _) => events.Writer.TryWrite(true);
        watcher.EnableRaisingEvents = true;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ended = daemon.WaitForExitAsync(ending.Token);
        using var api = new MachineApi(machine);
        var begun = clock.GetTimestamp();
        try
        {
            while (!await api.AnswersAsync(cancellationToken))
            {
                if (ended.IsCompleted)
                {
                    throw new ClusterException(ErrorKind.Unavailable, $"The daemon of {machine.Name} ended. {machine.TailOfLog()}");
                }

                if (clock.GetElapsedTime(begun) > s_limit)
                {
                    throw new ClusterException(
                        ErrorKind.DeadlineExceeded, $"The daemon of {machine.Name} does not answer after {s_limit.TotalSeconds} s. {machine.TailOfLog()}");
                }

                using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                await Task.WhenAny(ended, events.Reader.ReadAsync(pause.Token).AsTask(), Task.Delay(s_retry, clock, pause.Token));
                await pause.CancelAsync();
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            await ending.CancelAsync();
            await ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
