using System.Net;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Google.Protobuf;
using Skep.Manager.Certificates;
using Skep.Manager.Dispatch;
using Skep.Manager.Encryption;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Node;
using Skep.Protocol.Records;
using Skep.Testing.Store;
using Skep.Testing.Time;

namespace Skep.UnitTests.Manager.Dispatch;

/// <summary>A running dispatcher over a store in memory and a clock that stands still.</summary>
internal sealed class DispatcherFixture : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    public DispatcherFixture() =>
        Dispatcher = new Dispatcher(Store, new DispatcherOptions(), Clock, Journal) { OpenKeyring = Seal.Open };

    public KeyringSeal Seal { get; } = new(KeyWrap.NewKey());
    public ManualClock Clock { get; } = new();
    public DispatchJournal Journal { get; } = new();
    public FakeClusterStore Store { get; } = new();
    public Dispatcher Dispatcher { get; }

    public static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task<DispatcherFixture> StartAsync(params SwarmObject[] objects)
    {
        var fixture = new DispatcherFixture();
        var first = new StoreTransaction();
        foreach (var value in objects)
        {
            first.Create(value);
        }

        await fixture.Store.CommitAsync(first, Cancelled);
        fixture.Run();
        return fixture;
    }

    public void Run() => _running = Dispatcher.RunAsync(_stopping.Token);

    public static SwarmNode Node(string id) => new() { Id = id, Spec = new NodeSpec { Name = id }, Status = new NodeStatus { State = NodeState.Unknown } };

    public static SwarmTask TaskOf(string id, string nodeId, TaskState state = TaskState.Assigned) => new()
    {
        Id = id,
        NodeId = nodeId,
        ServiceId = "svc1",
        ServiceName = "web",
        Slot = 1,
        Status = new SwarmTaskStatus { State = state },
    };

    public NodeLine Connect(string nodeId, CancellationToken cancellationToken = default)
    {
        var line = new NodeLine(Dispatcher, nodeId, cancellationToken);
        line.Say(new NodeMessage
        {
            Hello = new Hello { Description = ByteString.CopyFrom(RecordCodec.Encode(new NodeDescription { Hostname = $"host-{nodeId}" }, RecordJson.Default.NodeDescription)) },
        });
        return line;
    }

    public Task<StoreView> UntilAsync(Func<StoreView, bool> condition) =>
        Store.WaitAsync(condition, Cancelled).WaitAsync(TimeSpan.FromSeconds(10), Cancelled);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _stopping.Dispose();
    }
}

/// <summary>A node's end of a session, spoken by a test.</summary>
internal sealed class NodeLine
{
    private readonly Channel<(NodeMessage? Message, TaskCompletionSource? Mark)> _said = Channel.CreateUnbounded<(NodeMessage?, TaskCompletionSource?)>();
    private readonly Channel<ManagerMessage> _heard = Channel.CreateUnbounded<ManagerMessage>();

    public NodeLine(Dispatcher dispatcher, string nodeId, CancellationToken cancellationToken)
    {
        var peer = new PeerIdentity(nodeId, NodeSpec.Worker, "swarm1");
        Ended = ListenAsync(dispatcher.SessionAsync(SayAllAsync(CancellationToken.None), peer, IPAddress.Parse("192.0.2.9"), cancellationToken));
    }

    /// <summary>The managers' side of the session is over; faulted with the refusal.</summary>
    public Task Ended { get; }

    public void Say(NodeMessage message) => _said.Writer.TryWrite((message, null));

    /// <summary>Ends when the dispatcher has taken everything that was said before.</summary>
    public Task TakenAsync()
    {
        var mark = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _said.Writer.TryWrite((null, mark));
        return mark.Task.WaitAsync(TimeSpan.FromSeconds(10), DispatcherFixture.Cancelled);
    }

    public void SayState(string taskId, TaskState state) => SayStates((taskId, state));

    public void SayStates(params (string TaskId, TaskState State)[] states)
    {
        var statuses = new TaskStatuses();
        foreach (var (id, state) in states)
        {
            var record = RecordCodec.Encode(new SwarmTaskStatus { State = state, Message = $"is {state}" }, RecordJson.Default.SwarmTaskStatus);
            statuses.Changes.Add(new TaskStatusChange { TaskId = id, Status = ByteString.CopyFrom(record) });
        }

        Say(new NodeMessage { Statuses = statuses });
    }

    public void HangUp() => _said.Writer.TryComplete();

    public async Task<ManagerMessage> HearAsync() =>
        await _heard.Reader.ReadAsync(DispatcherFixture.Cancelled).AsTask().WaitAsync(TimeSpan.FromSeconds(10), DispatcherFixture.Cancelled);

    public async Task<ManagerMessage> HearAsync(ManagerMessage.KindOneofCase kind)
    {
        while (true)
        {
            var message = await HearAsync();
            if (message.KindCase == kind)
            {
                return message;
            }
        }
    }

    public Task EndedAsync() => Ended.WaitAsync(TimeSpan.FromSeconds(10), DispatcherFixture.Cancelled);

    // The dispatcher asks for the next message when it has taken the one before.
    private async IAsyncEnumerable<NodeMessage> SayAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var (message, mark) in _said.Reader.ReadAllAsync(cancellationToken))
        {
            mark?.SetResult();
            if (message is not null)
            {
                yield return message;
            }
        }
    }

    private async Task ListenAsync(IAsyncEnumerable<ManagerMessage> messages)
    {
        await foreach (var message in messages)
        {
            _heard.Writer.TryWrite(message);
        }
    }
}
