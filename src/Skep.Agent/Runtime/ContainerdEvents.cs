using Google.Protobuf.WellKnownTypes;
using Skep.Model.Errors;
using Skep.Rpc;

namespace Skep.Agent.Runtime;

/// <summary>
/// Listens to what containerd says of ends and memory. After every (re)subscription the state is read once, so an end that came
/// while nobody listened is seen as well.
/// </summary>
internal sealed class ContainerdEvents(RuntimeParts parts)
{
    private const string ReadyTopic = "/skep/subscribed";
    private static readonly string[] s_filters = ["topic==\"/tasks/exit\"", "topic==\"/tasks/oom\"", $"topic==\"{ReadyTopic}\""];

    /// <param name="take">Takes an event; quick, in order.</param>
    /// <param name="resync">Reads the state; the subscription is in force when it is called.</param>
    /// <param name="stopping">Ends the loop.</param>
    public async Task RunAsync(Action<Any, DateTimeOffset> take, Func<CancellationToken, Task> resync, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            using var broken = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            try
            {
                // A subscription has no acknowledgement of its own: an event that we publish ourselves is repeated until it comes back.
                var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var listening = ListenAsync(take, heard, broken.Token);
                var syncing = SyncAsync(heard.Task, resync, broken.Token);
                await Task.WhenAny(listening, syncing);
                if (syncing.IsFaulted)
                {
                    await syncing;
                }

                await listening;
                parts.Logger.EventsBroken("containerd ended the stream");
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is RpcException or ClusterException or OperationCanceledException)
            {
                parts.Logger.EventsBroken(error.Message);
            }

            await broken.CancelAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(50), parts.Clock, stopping).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task ListenAsync(Action<Any, DateTimeOffset> take, TaskCompletionSource heard, CancellationToken cancellationToken)
    {
        await foreach (var envelope in parts.Client.SubscribeAsync(s_filters, cancellationToken))
        {
            if (envelope.Topic == ReadyTopic)
            {
                heard.TrySetResult();
            }
            else if (envelope.Namespace == parts.Options.Namespace && envelope.Event is not null)
            {
                take(envelope.Event, envelope.Timestamp?.ToDateTimeOffset() ?? parts.Clock.GetUtcNow());
            }
        }
    }

    private async Task SyncAsync(Task heard, Func<CancellationToken, Task> resync, CancellationToken cancellationToken)
    {
        var pause = TimeSpan.FromMilliseconds(10);
        while (!heard.IsCompleted)
        {
            await parts.Client.PublishAsync(ReadyTopic, new Empty(), cancellationToken);
            try
            {
                await heard.WaitAsync(pause, parts.Clock, cancellationToken);
            }
            catch (TimeoutException)
            {
                pause = TimeSpan.FromMilliseconds(Math.Min(500, pause.TotalMilliseconds * 2));
            }
        }

        await resync(cancellationToken);
    }
}
