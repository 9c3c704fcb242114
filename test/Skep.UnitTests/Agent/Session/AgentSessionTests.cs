using System.Threading.Channels;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Assignments;
using Skep.Agent.Session;
using Skep.Agent.Tasks;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Node;
using Skep.Protocol.Records;
using Skep.Rpc;
using Skep.Testing.Agent;
using Skep.Testing.Rpc;

namespace Skep.UnitTests.Agent.Session;

/// <summary>A node's session with a manager that says what the test says, over a real connection.</summary>
public sealed class AgentSessionTests : IAsyncLifetime
{
    private readonly FakeRuntime _runtime = new();
    private readonly FakeNetwork _network = new();
    private readonly StatusReporter _reporter = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Channel<ManagerEnd> _calls = Channel.CreateUnbounded<ManagerEnd>();
    private readonly List<AssignmentSet> _remembered = [];
    private long _repairs;
    private RpcTestServer _server = null!;
    private TaskManager _tasks = null!;
    private AgentSession _session = null!;
    private SessionPeers _peers = null!;
    private Task _running = Task.CompletedTask;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await RpcTestServer.StartAsync(routes => routes.MapDuplex(NodeMethods.Session, (messages, context) =>
        {
            var call = new ManagerEnd();
            _calls.Writer.TryWrite(call);
            return call.RunAsync(messages, context.CancellationToken);
        }));
        _tasks = new TaskManager(_runtime, new FakeImages(), _network, _reporter, TimeProvider.System, NullLogger<TaskManager>.Instance);
        _peers = new SessionPeers
        {
            Managers = [("", "joined:2377")],
            Open = _ => RpcChannel.OverUnixSocket(_server.SocketPath),
            Describe = () => new NodeDescription { Hostname = "host1" },
            AdvertiseAddress = "192.0.2.1",
            Applied = _network.AppliedRevision,
            Repairs = () => Interlocked.Read(ref _repairs),
            Remember = _remembered.Add,
        };
        _session = new AgentSession(
            _peers, _tasks, _reporter, new LogPublisher(_runtime, NullLogger<LogPublisher>.Instance), TimeProvider.System, NullLogger<AgentSession>.Instance);
        _running = _session.RunAsync(_stopping.Token);
    }

    [Fact]
    public async Task A_node_says_who_it_is_takes_the_whole_then_changes_and_tells_what_its_tasks_do()
    {
        var manager = await NextCallAsync();
        var hello = (await manager.HearAsync(NodeMessage.KindOneofCase.Hello)).Hello;
        Assert.Equal("192.0.2.1", hello.AdvertiseAddress);
        Assert.Equal("host1", RecordCodec.Decode(hello.Description.Span, RecordJson.Default.NodeDescription).Hostname);

        manager.Say(Welcome());
        manager.Say(Whole(5, TaskOf("t1")));
        await _session.Spoken.WaitAsync(TimeSpan.FromSeconds(10), Cancelled);
        await manager.UntilAsync("t1", TaskState.Running);
        Assert.Equal([("n1", "192.0.2.9:2377")], _peers.Managers);

        manager.Say(Changes(5, 8, TaskOf("t1") with { DesiredState = TaskState.Shutdown }, TaskOf("t2")));
        await manager.UntilAsync("t1", TaskState.Shutdown);
        Assert.Equal(["t1", "t2"], _tasks.Tasks.Select(t => t.Id).Order(StringComparer.Ordinal));
        Assert.Equal((8ul, "node1", (ushort)4790), (_remembered[^1].Revision, _remembered[^1].Plan.NodeId, _remembered[^1].Plan.DataPathPort));
    }

    [Fact]
    public async Task The_revision_that_the_kernel_holds_is_told()
    {
        var manager = await NextCallAsync();
        manager.Say(Welcome());
        manager.Say(Whole(7));

        ulong told = 0;
        while (told != 7)
        {
            told = (await manager.HearAsync(NodeMessage.KindOneofCase.Applied)).Applied.Revision;
        }
    }

    [Fact]
    public async Task A_line_that_breaks_stops_no_task_and_the_next_session_is_told_everything_again()
    {
        var first = await NextCallAsync();
        first.Say(Welcome());
        first.Say(Whole(5, TaskOf("t1")));
        await first.UntilAsync("t1", TaskState.Running);

        first.HangUp();

        var second = await NextCallAsync();
        await second.HearAsync(NodeMessage.KindOneofCase.Hello);
        await second.UntilAsync("t1", TaskState.Running);
        Assert.Single(_tasks.Tasks);
        second.Say(Welcome());
        second.Say(Whole(9));
        Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => _tasks.Tasks.Count == 0, TimeSpan.FromSeconds(10)), Cancelled));
    }

    [Fact]
    public async Task Changes_before_the_whole_are_not_taken()
    {
        var first = await NextCallAsync();
        first.Say(Welcome());
        first.Say(Whole(5, TaskOf("t1")));
        await first.UntilAsync("t1", TaskState.Running);
        first.HangUp();

        var second = await NextCallAsync();
        second.Say(Changes(8, 9, TaskOf("t2")));

        // The node ends such a session and calls again.
        await NextCallAsync();
        Assert.Equal("t1", Assert.Single(_tasks.Tasks).Id);
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_ends_the_session_and_not_the_node()
    {
        var first = await NextCallAsync();
        first.Say(new ManagerMessage { Assignments = new Skep.Protocol.Node.Assignments { Full = true, Changes = { new AssignmentChange { Id = "t1", Record = ByteString.CopyFromUtf8("{") } } } });

        await NextCallAsync();
        Assert.False(_running.IsCompleted);
    }

    [Fact]
    public async Task Heartbeats_come_as_often_as_the_managers_asked_and_tell_the_repairs()
    {
        var manager = await NextCallAsync();
        manager.Say(Welcome());

        await manager.HearAsync(NodeMessage.KindOneofCase.Heartbeat);
        _repairs = 7;
        NodeMessage beat;
        do
        {
            beat = await manager.HearAsync(NodeMessage.KindOneofCase.Heartbeat);
        }
        while (beat.Heartbeat.Repairs == 0);
        Assert.Equal(7ul, beat.Heartbeat.Repairs);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running);
        await _server.DisposeAsync();
        _stopping.Dispose();
    }

    private static ManagerMessage Welcome()
    {
        var welcome = new Welcome { HeartbeatMilliseconds = 60, DataPathPort = 4790, Node = ByteString.CopyFrom(RecordCodec.Encode(new SwarmNode { Id = "node1" })) };
        welcome.Managers.Add(new ManagerAddress { NodeId = "n1", Address = "192.0.2.9:2377" });
        return new ManagerMessage { Welcome = welcome };
    }

    private static ManagerMessage Whole(ulong revision, params SwarmTask[] tasks)
    {
        var message = Changes(0, revision, tasks);
        message.Assignments.Full = true;
        return message;
    }

    private static ManagerMessage Changes(ulong from, ulong to, params SwarmTask[] tasks)
    {
        var message = new Skep.Protocol.Node.Assignments { From = from, Revision = to };
        message.Changes.AddRange(tasks.Select(t => new AssignmentChange { Id = t.Id, Record = ByteString.CopyFrom(RecordCodec.Encode(t)) }));
        return new ManagerMessage { Assignments = message };
    }

    private static SwarmTask TaskOf(string id) => new()
    {
        Id = id,
        NodeId = "node1",
        ServiceName = "web",
        Slot = 1,
        Spec = new TaskSpec { ContainerSpec = new ContainerSpec { Image = "web:1" } },
        Status = new SwarmTaskStatus { State = TaskState.Assigned },
    };

    private async Task<ManagerEnd> NextCallAsync() => await _calls.Reader.ReadAsync(Cancelled).AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancelled);

    /// <summary>The manager's end of one call.</summary>
    private sealed class ManagerEnd
    {
        private readonly Channel<ManagerMessage> _said = Channel.CreateUnbounded<ManagerMessage>();
        private readonly Channel<NodeMessage> _heard = Channel.CreateUnbounded<NodeMessage>();

        public void Say(ManagerMessage message) => _said.Writer.TryWrite(message);

        public void HangUp() => _said.Writer.TryComplete();

        public async Task<NodeMessage> HearAsync(NodeMessage.KindOneofCase kind)
        {
            while (true)
            {
                var message = await _heard.Reader.ReadAsync(Cancelled).AsTask().WaitAsync(TimeSpan.FromSeconds(10), Cancelled);
                if (message.KindCase == kind)
                {
                    return message;
                }
            }
        }

        public async Task UntilAsync(string taskId, TaskState state)
        {
            while (true)
            {
                var statuses = (await HearAsync(NodeMessage.KindOneofCase.Statuses)).Statuses;
                if (statuses.Changes.Any(c => c.TaskId == taskId && RecordCodec.Decode(c.Status.Span, RecordJson.Default.SwarmTaskStatus).State == state))
                {
                    return;
                }
            }
        }

        public IAsyncEnumerable<ManagerMessage> RunAsync(IAsyncEnumerable<NodeMessage> messages, CancellationToken cancellationToken)
        {
            _ = ListenAsync(messages, cancellationToken);
            return _said.Reader.ReadAllAsync(cancellationToken);
        }

        private async Task ListenAsync(IAsyncEnumerable<NodeMessage> messages, CancellationToken cancellationToken)
        {
            try
            {
                await foreach (var message in messages.WithCancellation(cancellationToken))
                {
                    _heard.Writer.TryWrite(message);
                }
            }
            catch (Exception broken) when (broken is OperationCanceledException or RpcException or IOException)
            {
            }
        }
    }
}
