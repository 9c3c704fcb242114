using System.Text;
using System.Threading.Channels;
using Google.Protobuf;
using Skep.Manager.Certificates;
using Skep.Manager.Dispatch;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Node;
using static Skep.UnitTests.Manager.Dispatch.DispatcherFixture;

namespace Skep.UnitTests.Manager.Dispatch;

public sealed class LogBrokerTests
{
    private static readonly ServiceLogQuery s_all = new() { ServiceId = "svc1", Stdout = true, Stderr = true };

    [Fact]
    public async Task The_lines_of_all_nodes_come_and_the_stream_ends_when_every_node_has_answered()
    {
        await using var fixture = await StartAsync(Node("n1"), Node("n2"), TaskOf("t1", "n1", TaskState.Running), TaskOf("t2", "n2", TaskState.Failed));
        var broker = new LogBroker(fixture.Store, fixture.Dispatcher);
        var (one, two) = (await ReadyAsync(fixture, "n1"), await ReadyAsync(fixture, "n2"));

        var reading = ReadAsync(broker, s_all with { Tail = 3 }, Cancelled);
        var asked = (await one.HearAsync(ManagerMessage.KindOneofCase.Logs)).Logs;
        Assert.Equal((["t1"], 3, false), (asked.TaskIds, asked.Tail, asked.Follow));
        await PublishAsync(broker, "n1", asked.RequestId, "t1", "a", "b");
        Assert.False(reading.IsCompleted);
        await PublishAsync(broker, "n2", (await two.HearAsync(ManagerMessage.KindOneofCase.Logs)).Logs.RequestId, "t2", "c");

        var messages = await reading.WaitAsync(TimeSpan.FromSeconds(10), Cancelled);
        Assert.Equal(["n1 svc1 t1 a", "n1 svc1 t1 b", "n2 svc1 t2 c"], messages.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_node_without_a_session_is_named_in_the_last_message()
    {
        var away = Node("n2") with { Description = new NodeDescription { Hostname = "cellar" } };
        await using var fixture = await StartAsync(Node("n1"), away, TaskOf("t1", "n1", TaskState.Running), TaskOf("t2", "n2", TaskState.Running));
        var broker = new LogBroker(fixture.Store, fixture.Dispatcher);
        var line = await ReadyAsync(fixture, "n1");

        var reading = ReadAsync(broker, s_all, Cancelled);
        await PublishAsync(broker, "n1", (await line.HearAsync(ManagerMessage.KindOneofCase.Logs)).Logs.RequestId, "t1", "a");

        Assert.Equal(
            ["n1 svc1 t1 a", "incomplete log stream. some logs could not be retrieved for the following reasons: node cellar is not available"],
            await reading.WaitAsync(TimeSpan.FromSeconds(10), Cancelled));
    }

    [Fact]
    public async Task A_node_that_goes_before_it_answers_keeps_nobody_waiting()
    {
        await using var fixture = await StartAsync(Node("n1"), TaskOf("t1", "n1", TaskState.Running));
        var broker = new LogBroker(fixture.Store, fixture.Dispatcher);
        var line = await ReadyAsync(fixture, "n1");
        var reading = ReadAsync(broker, s_all, Cancelled);
        await line.HearAsync(ManagerMessage.KindOneofCase.Logs);

        line.HangUp();

        Assert.Contains("node host-n1 is not available", Assert.Single(await reading.WaitAsync(TimeSpan.FromSeconds(10), Cancelled)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_that_no_node_has_is_said_to_be_unscheduled()
    {
        await using var fixture = await StartAsync(TaskOf("t1", "", TaskState.Pending));
        var broker = new LogBroker(fixture.Store, fixture.Dispatcher);

        var messages = await ReadAsync(broker, s_all, Cancelled).WaitAsync(TimeSpan.FromSeconds(10), Cancelled);

        Assert.Contains("task t1 has not been scheduled", Assert.Single(messages), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_follower_asks_for_tasks_when_they_start_and_cancels_everywhere_when_the_reader_goes()
    {
        await using var fixture = await StartAsync(Node("n1"), TaskOf("t1", "n1", TaskState.Preparing));
        var broker = new LogBroker(fixture.Store, fixture.Dispatcher);
        var line = await ReadyAsync(fixture, "n1");
        using var going = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var lines = Channel.CreateUnbounded<string>();
        var reading = ReadAsync(broker, s_all with { Follow = true }, going.Token, lines.Writer);

        line.SayState("t1", TaskState.Starting);
        var asked = (await line.HearAsync(ManagerMessage.KindOneofCase.Logs)).Logs;
        Assert.Equal((["t1"], true), (asked.TaskIds, asked.Follow));
        var publishing = PublishOpenAsync(broker, "n1", asked.RequestId, out var records);
        records.TryWrite(Record(asked.RequestId, "t1", "first"));
        Assert.Equal("n1 svc1 t1 first", await lines.Reader.ReadAsync(Cancelled));

        // The same task is not asked for twice, another one is.
        line.SayState("t1", TaskState.Running);
        await fixture.Store.CommitAsync(new StoreTransaction().Create(TaskOf("t2", "n1", TaskState.Starting)), Cancelled);
        var second = (await line.HearAsync(ManagerMessage.KindOneofCase.Logs)).Logs;
        Assert.Equal(["t2"], second.TaskIds);

        await going.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        var cancels = new[] { (await line.HearAsync(ManagerMessage.KindOneofCase.Logs)).Logs, (await line.HearAsync(ManagerMessage.KindOneofCase.Logs)).Logs };
        Assert.All(cancels, c => Assert.True(c.Cancel));
        Assert.Equal(new[] { asked.RequestId, second.RequestId }.Order(), cancels.Select(c => c.RequestId).Order());

        // What still comes is refused, so that the node stops, and nothing of the reader is left at the store.
        records.TryWrite(Record(asked.RequestId, "t1", "late"));
        Assert.Equal(ErrorKind.NotFound, (await Assert.ThrowsAsync<ClusterException>(() => publishing)).Kind);
        Assert.Equal(1, fixture.Store.Followers);
    }

    [Fact]
    public async Task Another_node_cannot_answer_in_its_place()
    {
        await using var fixture = await StartAsync(Node("n1"), TaskOf("t1", "n1", TaskState.Running));
        var broker = new LogBroker(fixture.Store, fixture.Dispatcher);
        var line = await ReadyAsync(fixture, "n1");
        var reading = ReadAsync(broker, s_all, Cancelled);
        var asked = (await line.HearAsync(ManagerMessage.KindOneofCase.Logs)).Logs;

        await Assert.ThrowsAsync<ClusterException>(() => PublishAsync(broker, "n2", asked.RequestId, "t1", "forged"));

        await PublishAsync(broker, "n1", asked.RequestId, "t1", "true");
        Assert.Equal(["n1 svc1 t1 true"], await reading.WaitAsync(TimeSpan.FromSeconds(10), Cancelled));
    }

    private static async Task<NodeLine> ReadyAsync(DispatcherFixture fixture, string nodeId)
    {
        var line = fixture.Connect(nodeId);
        await line.HearAsync(ManagerMessage.KindOneofCase.Assignments);
        return line;
    }

    private static async Task<List<string>> ReadAsync(LogBroker broker, ServiceLogQuery query, CancellationToken cancellationToken, ChannelWriter<string>? lines = null)
    {
        var all = new List<string>();
        await foreach (var m in broker.ReadAsync(query, cancellationToken))
        {
            all.Add(m.Problem ?? $"{m.NodeId} {m.ServiceId} {m.TaskId} {Encoding.UTF8.GetString(m.Line.Span)}");
            lines?.TryWrite(all[^1]);
        }

        return all;
    }

    private static LogRecords Record(string requestId, string taskId, string line) =>
        new() { RequestId = requestId, Records = { new LogRecord { TaskId = taskId, Source = 1, Line = ByteString.CopyFromUtf8(line) } } };

    private static Task<PublishResponse> PublishAsync(LogBroker broker, string nodeId, string requestId, string taskId, params string[] lines)
    {
        var publishing = PublishOpenAsync(broker, nodeId, requestId, out var records);
        foreach (var line in lines)
        {
            records.TryWrite(Record(requestId, taskId, line));
        }

        records.TryComplete();
        return publishing;
    }

    private static Task<PublishResponse> PublishOpenAsync(LogBroker broker, string nodeId, string requestId, out ChannelWriter<LogRecords> records)
    {
        var channel = Channel.CreateUnbounded<LogRecords>();
        records = channel.Writer;
        return broker.PublishAsync(channel.Reader.ReadAllAsync(CancellationToken.None), new PeerIdentity(nodeId, NodeSpec.Worker, "swarm1"), Cancelled);
    }
}
