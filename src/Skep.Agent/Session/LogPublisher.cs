using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Skep.Agent.Logs;
using Skep.Agent.Runtime;
using Skep.Model.Errors;
using Skep.Model.Identity;
using Skep.Protocol.Node;
using Skep.Rpc;

namespace Skep.Agent.Session;

/// <summary>Answers a manager's request for the logs of tasks on this node.</summary>
public sealed class LogPublisher(IContainerRuntime runtime, ILogger<LogPublisher> log)
{
    private const int MostPerMessage = 256;

    private readonly ConcurrentDictionary<string, CancellationTokenSource> _open = new();

    /// <summary>Begins or cancels a request. Returns at once.</summary>
    public void Take(LogRequest request, RpcChannel channel, CancellationToken ending)
    {
        if (request.Cancel)
        {
            if (_open.TryRemove(request.RequestId, out var publishing))
            {
                try
                {
                    publishing.Cancel();
                }
                catch (ObjectDisposedException)
                {
                    // It has just ended by itself.
                }
            }

            return;
        }

        var stop = CancellationTokenSource.CreateLinkedTokenSource(ending);
        _open[request.RequestId] = stop;
        _ = PublishAsync(request, channel, stop);
    }

    private async Task PublishAsync(LogRequest request, RpcChannel channel, CancellationTokenSource stop)
    {
        try
        {
            await channel.ClientStreamAsync(NodeMethods.Publish, BatchesAsync(request, stop.Token), stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException or HttpRequestException or IOException)
        {
            log.LogsNotPublished(request.RequestId, e.Message);
        }
        finally
        {
            _open.TryRemove(request.RequestId, out _);
            stop.Dispose();
        }
    }

    private async IAsyncEnumerable<LogRecords> BatchesAsync(LogRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var lines = Channel.CreateBounded<LogRecord>(MostPerMessage * 4);
        var problems = new ConcurrentQueue<string>();
        var reading = ReadAllAsync(request, lines.Writer, problems, cancellationToken);
        yield return new LogRecords { RequestId = request.RequestId };
        while (await lines.Reader.WaitToReadAsync(cancellationToken))
        {
            var batch = new LogRecords();
            while (batch.Records.Count < MostPerMessage && lines.Reader.TryRead(out var record))
            {
                batch.Records.Add(record);
            }

            yield return batch;
        }

        await reading;
        if (!problems.IsEmpty)
        {
            yield return new LogRecords { Problem = string.Join(", ", problems) };
        }
    }

    private async Task ReadAllAsync(LogRequest request, ChannelWriter<LogRecord> lines, ConcurrentQueue<string> problems, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(request.TaskIds.Select(id => ReadAsync(id, request, lines, problems, cancellationToken)));
        }
        finally
        {
            lines.TryComplete();
        }
    }

    private async Task ReadAsync(
        string taskId,
        LogRequest request,
        ChannelWriter<LogRecord> lines,
        ConcurrentQueue<string> problems,
        CancellationToken cancellationToken)
    {
        var query = new LogQuery
        {
            Stdout = request.Stdout,
            Stderr = request.Stderr,
            Follow = request.Follow,
            Tail = request.HasTail ? request.Tail : null,
            Since = request.SinceUnixNanoseconds == 0 ? null : DateTimeOffset.UnixEpoch.AddTicks(request.SinceUnixNanoseconds / 100),
        };
        try
        {
            await foreach (var entry in runtime.Log(ContainerId.Of(taskId)).ReadAsync(query, cancellationToken))
            {
                await lines.WriteAsync(
                    new LogRecord
                    {
                        TaskId = taskId,
                        UnixNanoseconds = (entry.Time - DateTimeOffset.UnixEpoch).Ticks * 100,
                        Source = (uint)entry.Source,
                        Line = ByteString.CopyFrom(entry.Line.Span),
                    },
                    cancellationToken);
            }
        }
        catch (ClusterException e) when (e.Kind == ErrorKind.NotFound)
        {
            // A task that never got a container has written nothing.
        }
        catch (Exception e) when (e is ClusterException or IOException)
        {
            problems.Enqueue($"task {taskId}: {e.Message}");
        }
    }
}
