using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;

namespace Skep.Manager.Dispatch;

/// <summary>
/// Stores what the nodes report of their tasks. While one commit is under way the next reports gather, so a burst becomes few
/// commits and a single report waits for nothing.
/// </summary>
internal sealed class StatusWriter(IClusterStore store, TimeProvider clock, ILogger log)
{
    private const int MostPerCommit = 1000;
    private static readonly TimeSpan s_pauseAfterFailure = TimeSpan.FromMilliseconds(500);

    private readonly Channel<TaskReport> _reports = Channel.CreateUnbounded<TaskReport>(new UnboundedChannelOptions { SingleReader = true });

    public void Report(string nodeId, string taskId, SwarmTaskStatus status) =>
        _reports.Writer.TryWrite(new TaskReport(nodeId, taskId, status));

    public async Task RunAsync(CancellationToken stopping)
    {
        while (await _reports.Reader.WaitToReadAsync(stopping))
        {
            var batch = new Dictionary<(string Node, string Task), TaskReport>();
            while (batch.Count < MostPerCommit && _reports.Reader.TryRead(out var report))
            {
                // The end of an older session may still bring an earlier state after the newer one.
                var key = (report.NodeId, report.TaskId);
                if (!batch.TryGetValue(key, out var present) || report.Status.State >= present.Status.State)
                {
                    batch[key] = report;
                }
            }

            await WriteAsync(batch.Values, stopping);
        }
    }

    private async Task WriteAsync(IReadOnlyCollection<TaskReport> batch, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                await store.EditAsync(view => Changes(view, batch), stopping);
                return;
            }
            catch (ClusterException e) when (e.Kind is ErrorKind.Unavailable or ErrorKind.DeadlineExceeded)
            {
                log.StatusesWait(batch.Count, e.Message);
                await Task.Delay(s_pauseAfterFailure, clock, stopping);
            }
        }
    }

    private StoreTransaction Changes(StoreView view, IEnumerable<TaskReport> batch)
    {
        var transaction = new StoreTransaction();
        var now = clock.GetUtcNow();
        foreach (var report in batch)
        {
            // A state only grows: a late report of an earlier state, or of a task that is no longer the node's, says nothing new.
            if (view.Tasks.TryGetValue(report.TaskId, out var task)
                && task.NodeId == report.NodeId
                && report.Status.State >= task.Status.State
                && !Same(task.Status, report.Status))
            {
                transaction.Update(task with { Status = report.Status with { AppliedAt = now }, UpdatedAt = now });
            }
        }

        return transaction;
    }

    private static bool Same(SwarmTaskStatus a, SwarmTaskStatus b) =>
        a.State == b.State && a.Message == b.Message && a.Err == b.Err && a.Container == b.Container && a.Timestamp == b.Timestamp
        && a.Unhealthy == b.Unhealthy;

    private readonly record struct TaskReport(string NodeId, string TaskId, SwarmTaskStatus Status);
}
