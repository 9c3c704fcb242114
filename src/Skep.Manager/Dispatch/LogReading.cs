using System.Collections.Concurrent;
using System.Threading.Channels;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Protocol.Node;

namespace Skep.Manager.Dispatch;

/// <summary>One reader of logs and the requests to nodes that feed it.</summary>
internal sealed class LogReading(ServiceLogQuery query)
{
    private readonly Channel<ServiceLogMessage> _messages = Channel.CreateBounded<ServiceLogMessage>(1024);
    private readonly ConcurrentDictionary<string, string> _open = new();
    private readonly ConcurrentDictionary<string, string> _serviceOfTask = new();
    private volatile bool _endWhenIdle;

    public ServiceLogQuery Query { get; } = query;
    public ChannelReader<ServiceLogMessage> Messages => _messages.Reader;

    /// <summary>What could not be had, each reason once; several nodes answer at a time.</summary>
    public ConcurrentDictionary<string, byte> Problems { get; } = new();

    /// <summary>Request id and node of what is not answered yet.</summary>
    public IEnumerable<KeyValuePair<string, string>> Open => _open;

    /// <summary>True once per task: its log is asked for only once.</summary>
    public bool Claim(SwarmTask task) => _serviceOfTask.TryAdd(task.Id, task.ServiceId);

    public void Unclaim(SwarmTask task) => _serviceOfTask.TryRemove(task.Id, out _);

    public string? NodeOf(string requestId) => _open.GetValueOrDefault(requestId);

    public void Begin(string requestId, string nodeId) => _open[requestId] = nodeId;

    public void Done(string requestId)
    {
        _open.TryRemove(requestId, out _);
        EndIfIdle();
    }

    public void EndWhenIdle(bool end)
    {
        _endWhenIdle = end;
        EndIfIdle();
    }

    public async Task TakeAsync(LogRecords batch, string nodeId, CancellationToken cancellationToken)
    {
        if (batch.Problem.Length > 0)
        {
            Problem(batch.Problem);
        }

        foreach (var record in batch.Records)
        {
            var time = DateTimeOffset.UnixEpoch.AddTicks(record.UnixNanoseconds / 100);
            try
            {
                await _messages.Writer.WriteAsync(
                    new ServiceLogMessage(nodeId, _serviceOfTask.GetValueOrDefault(record.TaskId, ""), record.TaskId, time, (byte)record.Source, record.Line.Memory),
                    cancellationToken);
            }
            catch (ChannelClosedException)
            {
                throw new ClusterException(ErrorKind.NotFound, "nobody reads these logs any more");
            }
        }
    }

    public void Problem(string reason) => Problems.TryAdd(reason, 0);

    /// <summary>The reader has gone: whoever still writes is not to wait for room.</summary>
    public void Abandon() => _messages.Writer.TryComplete();

    private void EndIfIdle()
    {
        if (_endWhenIdle && _open.IsEmpty)
        {
            _messages.Writer.TryComplete();
        }
    }
}
