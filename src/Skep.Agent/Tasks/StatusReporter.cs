using Google.Protobuf;
using Skep.Model.Objects;
using Skep.Protocol.Node;
using Skep.Protocol.Records;

namespace Skep.Agent.Tasks;

/// <summary>
/// The newest status of each task, until a manager has it. A session takes what is new; after a break it takes everything again,
/// since nobody knows what had arrived.
/// </summary>
public sealed class StatusReporter
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SwarmTaskStatus> _all = [];
    private readonly HashSet<string> _fresh = [];
    private TaskCompletionSource _signal = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Report(string taskId, SwarmTaskStatus status)
    {
        lock (_gate)
        {
            _all[taskId] = status;
            _fresh.Add(taskId);
            _signal.TrySetResult();
        }
    }

    /// <summary>A task that is gone needs no reports.</summary>
    public void Forget(Func<string, bool> isKnown)
    {
        lock (_gate)
        {
            foreach (var gone in _all.Keys.Where(id => !isKnown(id)).ToList())
            {
                _all.Remove(gone);
                _fresh.Remove(gone);
            }
        }
    }

    /// <summary>A new session: all that is known is to be told.</summary>
    public void Restart()
    {
        lock (_gate)
        {
            _fresh.UnionWith(_all.Keys);
            if (_fresh.Count > 0)
            {
                _signal.TrySetResult();
            }
        }
    }

    /// <summary>Waits for something to tell and takes it.</summary>
    public async Task<TaskStatuses> NextAsync(CancellationToken cancellationToken)
    {
        Task signalled;
        lock (_gate)
        {
            signalled = _signal.Task;
        }

        await signalled.WaitAsync(cancellationToken);
        var message = new TaskStatuses();
        lock (_gate)
        {
            _signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            foreach (var id in _fresh)
            {
                var record = RecordCodec.Encode(_all[id], RecordJson.Default.SwarmTaskStatus);
                message.Changes.Add(new TaskStatusChange { TaskId = id, Status = ByteString.CopyFrom(record) });
            }

            _fresh.Clear();
        }

        return message;
    }
}
