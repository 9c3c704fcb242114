using System.Text.Json;
using Microsoft.Extensions.Logging;
using Skep.Agent.Assignments;
using Skep.Agent.Tasks;
using Skep.Model.Errors;
using Skep.Model.Flow;
using Skep.Model.Objects;
using Skep.Protocol.Node;
using Skep.Protocol.Records;
using Skep.Rpc;

namespace Skep.Agent.Session;

/// <summary>
/// The node's line to the managers: says who it is and what its tasks do, and hands on what it is to run. When the line breaks
/// everything goes on as it is, and another manager is tried after a growing pause.
/// </summary>
public sealed class AgentSession(SessionPeers peers, TaskManager tasks, StatusReporter reporter, LogPublisher logs, TimeProvider clock, ILogger<AgentSession> log)
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_descriptionPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(4);

    private readonly Watched<Welcome?> _welcome = new(null, (_, _) => true);
    private readonly TaskCompletionSource _spoken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AssignmentSet _set = AssignmentSet.Empty;
    private bool _whole;
    private (IReadOnlyList<HostListener>? Listeners, IReadOnlyList<HostPrefix>? Prefixes) _described;
    private string? _describedCipher;

    /// <summary>The newest greeting of a manager; null before the first.</summary>
    public Watched<Welcome?> Greeting => _welcome;

    /// <summary>A manager has told the whole assignment since the daemon started.</summary>
    public Task Spoken => _spoken.Task;

    /// <summary>Assignments from before the last stop of the daemon, to go on with until a manager speaks.</summary>
    public void Resume(AssignmentSet set, CancellationToken stopping)
    {
        _set = set;
        tasks.Resume(set, stopping);
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        var pause = s_firstPause;
        while (true)
        {
            var begun = clock.GetTimestamp();
            try
            {
                await SpeakAsync(stopping);
            }
            catch (Exception e) when (e is RpcException or HttpRequestException or IOException or OperationCanceledException
                or JsonException or InvalidDataException or ClusterException)
            {
                // An end of our own may come as a call that was broken off.
                stopping.ThrowIfCancellationRequested();
                log.SessionLost(e.Message, Innermost(e));
            }

            stopping.ThrowIfCancellationRequested();
            pause = clock.GetElapsedTime(begun) > s_longestPause ? s_firstPause : TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, s_longestPause.Ticks));
            await Task.Delay(pause, clock, stopping);
        }
    }

    /// <summary>The outer messages say that it failed, the innermost why.</summary>
    private static string Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e.Message;

    private async Task SpeakAsync(CancellationToken stopping)
    {
        await using var channel = peers.Connect();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await using var call = channel.Duplex(NodeMethods.Session, ending.Token);
        using var sending = new SemaphoreSlim(1);
        async Task SendAsync(NodeMessage message)
        {
            await sending.WaitAsync(ending.Token);
            try
            {
                await call.WriteAsync(message, ending.Token);
            }
            finally
            {
                sending.Release();
            }
        }

        _described = (peers.Listeners?.Value, peers.Prefixes?.Value);
        _describedCipher = peers.CipherGeneration?.Value;
        await SendAsync(new NodeMessage { Hello = peers.Hello() });
        _whole = false;
        reporter.Restart();
        List<Task> loops =
        [
            ReportAsync(SendAsync, ending.Token),
            BeatAsync(SendAsync, ending.Token),
            TellAppliedAsync(SendAsync, ending.Token),
            DescribeAsync(peers.Listeners, SendAsync, ending.Token),
            DescribeAsync(peers.Prefixes, SendAsync, ending.Token),
            DescribeCipherAsync(SendAsync, ending.Token),
            TellFindingsAsync(SendAsync, ending.Token),
        ];
        var listening = ListenAsync(call, channel, ending.Token, stopping);
        try
        {
            await await Task.WhenAny([listening, .. loops]);
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll([listening, .. loops]).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task ListenAsync(RpcDuplexCall<NodeMessage, ManagerMessage> call, RpcChannel channel, CancellationToken ending, CancellationToken stopping)
    {
        await foreach (var message in call.ReadAllAsync(ending))
        {
            switch (message.KindCase)
            {
                case ManagerMessage.KindOneofCase.Welcome: Greet(message.Welcome); break;
                case ManagerMessage.KindOneofCase.Assignments: Take(message.Assignments, stopping); break;
                case ManagerMessage.KindOneofCase.Drained: tasks.Drained(message.Drained); break;
                case ManagerMessage.KindOneofCase.Logs: logs.Take(message.Logs, channel, ending); break;
            }
        }

        throw new IOException("the manager ended the session");
    }

    private void Greet(Welcome welcome)
    {
        if (!welcome.Node.IsEmpty)
        {
            var node = RecordCodec.Decode(welcome.Node.Span, RecordJson.Default.SwarmNode);
            tasks.NodeIs(node);
            _set = _set with { Plan = _set.Plan with { NodeId = node.Id, DataPathPort = (ushort)welcome.DataPathPort } };
        }

        peers.Managers = [.. welcome.Managers.Select(m => (m.NodeId, m.Address))];
        _welcome.TryPublish(welcome);
    }

    private void Take(Protocol.Node.Assignments message, CancellationToken stopping)
    {
        _whole |= message.Full;
        if (!_whole)
        {
            // What this node has from an earlier session may be too old to be changed.
            throw new IOException("the manager sent changes before the whole");
        }

        _set = _set.Apply(message);
        tasks.Submit(_set, stopping);
        reporter.Forget(_set.Tasks.ContainsKey);
        peers.Remember(_set);
        if (message.Full)
        {
            _spoken.TrySetResult();
        }

        log.AssignmentsTaken(_set.Revision, message.Changes.Count);
    }

    private async Task ReportAsync(Func<NodeMessage, Task> sendAsync, CancellationToken ending)
    {
        while (true)
        {
            await sendAsync(new NodeMessage { Statuses = await reporter.NextAsync(ending) });
        }
    }

    private async Task BeatAsync(Func<NodeMessage, Task> sendAsync, CancellationToken ending)
    {
        var greeting = await _welcome.WaitAsync(w => w is not null, ending);
        while (true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(50, greeting!.HeartbeatMilliseconds)), clock, ending);
            greeting = _welcome.Value;
            await sendAsync(new NodeMessage { Heartbeat = new Heartbeat { Repairs = (ulong)peers.Repairs() } });
        }
    }

    /// <summary>Says anew what the node is when it has changed. Programs that come and go all the time are told of now and then.</summary>
    private async Task DescribeAsync<T>(Watched<T>? changing, Func<NodeMessage, Task> sendAsync, CancellationToken ending)
    {
        if (changing is null)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, ending);
            return;
        }

        await foreach (var _ in changing.WatchAsync(ending))
        {
            var now = (peers.Listeners?.Value, peers.Prefixes?.Value);
            if (!ReferenceEquals(now.Item1, _described.Listeners) || !ReferenceEquals(now.Item2, _described.Prefixes))
            {
                _described = now;
                await sendAsync(new NodeMessage { Description = new Description { Description_ = peers.Description() } });
                await Task.Delay(s_descriptionPause, clock, ending);
            }
        }
    }

    private async Task DescribeCipherAsync(Func<NodeMessage, Task> sendAsync, CancellationToken ending)
    {
        if (peers.CipherGeneration is null)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, ending);
            return;
        }

        await foreach (var generation in peers.CipherGeneration.WatchAsync(ending))
        {
            if (generation != _describedCipher)
            {
                _describedCipher = generation;
                await sendAsync(new NodeMessage { Description = new Description { Description_ = peers.Description() } });
            }
        }
    }

    private async Task TellAppliedAsync(Func<NodeMessage, Task> sendAsync, CancellationToken ending)
    {
        await foreach (var revision in peers.Applied.WatchAsync(ending))
        {
            await sendAsync(new NodeMessage { Applied = new Applied { Revision = revision } });
        }
    }

    private async Task TellFindingsAsync(Func<NodeMessage, Task> sendAsync, CancellationToken ending)
    {
        await foreach (var findings in peers.Findings.WatchAsync(ending))
        {
            await sendAsync(new NodeMessage { Findings = new Findings { Findings_ = { findings } } });
        }
    }
}
