using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Manager.Dispatch;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Node;
using Skep.Protocol.Records;
using Skep.Testing.Time;
using static Skep.UnitTests.Manager.Dispatch.DispatcherFixture;

namespace Skep.UnitTests.Manager.Dispatch;

public sealed class DispatcherTests
{
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(500);

    [Fact]
    public async Task What_a_node_says_of_itself_later_is_stored()
    {
        await using var fixture = await DispatcherFixture.StartAsync(DispatcherFixture.Node("n1"));
        var line = fixture.Connect("n1");
        await fixture.UntilAsync(v => v.Nodes["n1"].Description?.Hostname == "host-n1");
        var description = new NodeDescription { Hostname = "host-n1", Listeners = [new HostListener("tcp", 22, "0.0.0.0", "sshd")] };
        line.Say(new NodeMessage { Description = new Description { Description_ = ByteString.CopyFrom(RecordCodec.Encode(description, RecordJson.Default.NodeDescription)) } });
        var view = await fixture.UntilAsync(v => v.Nodes["n1"].Description?.Listeners is not null);
        Assert.Equal("sshd", Assert.Single(view.Nodes["n1"].Description!.Listeners!).Program);
        Assert.Equal(NodeState.Ready, view.Nodes["n1"].Status.State);
    }

    [Fact]
    public async Task What_a_node_finds_wrong_on_its_ways_to_others_is_its_status_message_until_it_is_right_again()
    {
        await using var fixture = await StartAsync(Node("n1"));
        var line = fixture.Connect("n1");
        await fixture.UntilAsync(v => v.Nodes["n1"].Status.State == NodeState.Ready);
        line.Say(new NodeMessage { Findings = new Findings { Findings_ = { "no VXLAN frames from n2", "checksums are wrong" } } });
        await fixture.UntilAsync(v => v.Nodes["n1"].Status.Message == "no VXLAN frames from n2; checksums are wrong");

        line.Say(new NodeMessage { Findings = new Findings() });
        var view = await fixture.UntilAsync(v => v.Nodes["n1"].Status.Message is null);
        Assert.Equal(NodeState.Ready, view.Nodes["n1"].Status.State);
    }

    [Fact]
    public async Task A_node_that_says_hello_is_ready_and_told_who_it_is_and_all_it_has()
    {
        await using var fixture = await StartAsync(Node("n1"), TaskOf("t1", "n1"), TaskOf("t2", "n2"));

        var line = fixture.Connect("n1");

        Assert.Equal(1000ul, (await line.HearAsync()).Welcome.HeartbeatMilliseconds);
        var whole = (await line.HearAsync()).Assignments;
        Assert.True(whole.Full);
        Assert.Equal("t1", Assert.Single(whole.Changes).Id);
        var node = (await fixture.UntilAsync(v => v.Nodes["n1"].Status.State == NodeState.Ready)).Nodes["n1"];
        Assert.Equal(("192.0.2.9", "192.0.2.9", "host-n1"), (node.Status.Addr, node.DataPathAddress, node.Description!.Hostname));
    }

    [Fact]
    public async Task Who_is_no_member_is_refused()
    {
        await using var fixture = await StartAsync(Node("n1"));

        var refusal = await Assert.ThrowsAsync<ClusterException>(fixture.Connect("n7").EndedAsync);

        Assert.Equal(ErrorKind.Forbidden, refusal.Kind);
    }

    [Fact]
    public async Task A_session_that_begins_with_anything_but_hello_is_refused()
    {
        await using var fixture = await StartAsync(Node("n1"));
        var line = new NodeLine(fixture.Dispatcher, "n1", CancellationToken.None);
        line.Say(new NodeMessage { Heartbeat = new Heartbeat() });

        var refusal = await Assert.ThrowsAsync<ClusterException>(line.EndedAsync);

        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
    }

    [Fact]
    public async Task Before_the_store_was_read_no_node_is_told_that_it_has_nothing()
    {
        await using var fixture = new DispatcherFixture();
        await fixture.Store.CommitAsync(new StoreTransaction().Create(Node("n1")).Create(TaskOf("t1", "n1")), Cancelled);
        var line = fixture.Connect("n1");
        Assert.Equal(ManagerMessage.KindOneofCase.Welcome, (await line.HearAsync()).KindCase);

        fixture.Run();

        var whole = (await line.HearAsync()).Assignments;
        Assert.True(whole.Full);
        Assert.Equal("t1", Assert.Single(whole.Changes).Id);
    }

    [Fact]
    public async Task What_changes_for_a_node_is_sent_to_it_alone()
    {
        await using var fixture = await StartAsync(Node("n1"), Node("n2"));
        var (one, two) = (fixture.Connect("n1"), fixture.Connect("n2"));
        await one.HearAsync(ManagerMessage.KindOneofCase.Assignments);
        await two.HearAsync(ManagerMessage.KindOneofCase.Assignments);

        await fixture.Store.CommitAsync(new StoreTransaction().Create(TaskOf("t1", "n1")), Cancelled);
        await fixture.Store.CommitAsync(new StoreTransaction().Create(TaskOf("t2", "n2")), Cancelled);

        Assert.Equal("t1", Assert.Single((await one.HearAsync(ManagerMessage.KindOneofCase.Assignments)).Assignments.Changes).Id);
        Assert.Equal("t2", Assert.Single((await two.HearAsync(ManagerMessage.KindOneofCase.Assignments)).Assignments.Changes).Id);
    }

    [Fact]
    public async Task Reported_states_are_stored_and_only_grow()
    {
        await using var fixture = await StartAsync(Node("n1"), TaskOf("t1", "n1"), TaskOf("t2", "n2"), TaskOf("t3", "n1"));
        var line = fixture.Connect("n1");

        line.SayStates(("t1", TaskState.Running), ("t2", TaskState.Running));
        await fixture.UntilAsync(v => v.Tasks["t1"].Status is { State: TaskState.Running, Message: "is Running" });
        line.SayStates(("t1", TaskState.Preparing), ("t3", TaskState.Running));

        var view = await fixture.UntilAsync(v => v.Tasks["t3"].Status.State == TaskState.Running);
        Assert.Equal(TaskState.Running, view.Tasks["t1"].Status.State);
        Assert.Equal(fixture.Clock.GetUtcNow(), view.Tasks["t1"].Status.AppliedAt);

        // Another node's task is not this node's to report on.
        Assert.Equal(TaskState.Assigned, view.Tasks["t2"].Status.State);
    }

    [Fact]
    public async Task States_wait_while_the_store_is_away_and_the_newest_is_written()
    {
        var store = new UnavailableStore();
        await store.Inner.CommitAsync(new StoreTransaction().Create(TaskOf("t1", "n1")), Cancelled);
        var clock = new ManualClock();
        var writer = new StatusWriter(store, clock, NullLogger.Instance);
        using var stopping = new CancellationTokenSource();
        store.IsAway = true;
        writer.Report("n1", "t1", new SwarmTaskStatus { State = TaskState.Preparing });
        var running = writer.RunAsync(stopping.Token);
        await clock.UntilArmedAsync(1, Cancelled);

        writer.Report("n1", "t1", new SwarmTaskStatus { State = TaskState.Running });
        writer.Report("n1", "t1", new SwarmTaskStatus { State = TaskState.Starting });
        store.IsAway = false;
        clock.Advance(TimeSpan.FromSeconds(1));

        var view = await store.Inner.WaitAsync(v => v.Tasks["t1"].Status.State >= TaskState.Starting, Cancelled);
        Assert.Equal(TaskState.Running, view.Tasks["t1"].Status.State);
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_silent_node_is_down_its_session_ends_and_it_is_ready_when_it_calls_again()
    {
        await using var fixture = await StartAsync(Node("n1"));
        var line = fixture.Connect("n1");
        await line.HearAsync(ManagerMessage.KindOneofCase.Assignments);
        await fixture.Clock.UntilArmedAsync(1, Cancelled);

        // A period and a half is 7.5 s; nothing is wrong before.
        Advance(fixture, 15);
        Assert.Equal(NodeState.Ready, fixture.Store.Current.Nodes["n1"].Status.State);
        var down = fixture.UntilAsync(v => v.Nodes["n1"].Status.State == NodeState.Down);
        Advance(fixture, 2);

        Assert.Equal("heartbeat failure", (await down).Nodes["n1"].Status.Message);
        await line.EndedAsync();
        var again = fixture.Connect("n1");
        await again.HearAsync(ManagerMessage.KindOneofCase.Assignments);
        await fixture.UntilAsync(v => v.Nodes["n1"].Status is { State: NodeState.Ready, Message: null });
    }

    [Fact]
    public async Task A_node_whose_line_broke_is_down_after_the_same_time_and_one_that_beats_is_not()
    {
        await using var fixture = await StartAsync(Node("n1"), Node("n2"));
        var (broken, beating) = (fixture.Connect("n1"), fixture.Connect("n2"));
        await broken.HearAsync(ManagerMessage.KindOneofCase.Assignments);
        await beating.HearAsync(ManagerMessage.KindOneofCase.Assignments);
        broken.HangUp();
        await broken.EndedAsync();
        await fixture.Clock.UntilArmedAsync(1, Cancelled);

        var down = fixture.UntilAsync(v => v.Nodes["n1"].Status.State == NodeState.Down);
        for (var i = 0; i < 17; i++)
        {
            // The answer to what follows the heartbeat says that the heartbeat was heard.
            beating.Say(new NodeMessage { Heartbeat = new Heartbeat() });
            beating.Say(new NodeMessage { Applied = new Applied { Revision = (ulong)i + 1 } });
            var expected = (ulong)i + 1;
            Assert.True(SpinWait.SpinUntil(() => fixture.Dispatcher.AppliedBy("n2") == expected, TimeSpan.FromSeconds(10)));
            Advance(fixture, 1);
        }

        await down;
        Assert.Equal(NodeState.Ready, fixture.Store.Current.Nodes["n2"].Status.State);
    }

    [Fact]
    public async Task A_newer_session_of_a_node_ends_the_older_which_keeps_quiet()
    {
        await using var fixture = await StartAsync(Node("n1"));
        var older = fixture.Connect("n1");
        await older.HearAsync(ManagerMessage.KindOneofCase.Assignments);

        var newer = fixture.Connect("n1");
        await newer.HearAsync(ManagerMessage.KindOneofCase.Assignments);

        await older.EndedAsync();
        await fixture.Store.CommitAsync(new StoreTransaction().Create(TaskOf("t1", "n1")), Cancelled);
        Assert.Equal("t1", Assert.Single((await newer.HearAsync(ManagerMessage.KindOneofCase.Assignments)).Assignments.Changes).Id);
        Assert.True(fixture.Dispatcher.TrySend("n1", new ManagerMessage { Logs = new LogRequest { RequestId = "r" } }));
        Assert.Equal("r", (await newer.HearAsync(ManagerMessage.KindOneofCase.Logs)).Logs.RequestId);
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_ends_the_session_and_nothing_else()
    {
        await using var fixture = await StartAsync(Node("n1"), TaskOf("t1", "n1"));
        var line = fixture.Connect("n1");
        await line.HearAsync(ManagerMessage.KindOneofCase.Assignments);

        line.Say(new NodeMessage { Statuses = new TaskStatuses { Changes = { new TaskStatusChange { TaskId = "t1", Status = ByteString.CopyFromUtf8("{") } } } });

        await line.EndedAsync();
        Assert.False(fixture.Dispatcher.TrySend("n1", new ManagerMessage()));
        var again = fixture.Connect("n1");
        await again.HearAsync(ManagerMessage.KindOneofCase.Assignments);
    }

    [Fact]
    public async Task A_removed_node_loses_its_session_and_a_changed_one_is_greeted_again()
    {
        await using var fixture = await StartAsync(Node("n1"));
        var line = fixture.Connect("n1");
        await line.HearAsync(ManagerMessage.KindOneofCase.Assignments);

        await fixture.Store.EditNodeAsync("n1", n => n with { Spec = n.Spec with { Availability = NodeSpec.Drain } }, Cancelled);
        await line.HearAsync(ManagerMessage.KindOneofCase.Welcome);
        await fixture.Store.EditAsync(v => new StoreTransaction().Remove(v.Nodes["n1"]), Cancelled);

        await line.EndedAsync();
    }

    [Fact]
    public async Task Assignments_that_wait_for_a_slow_node_become_one_message()
    {
        var session = new NodeSession("n1", TimeProvider.System);
        session.Send(Changes(full: true, from: 0, to: 5, "a"));
        session.Send(Changes(full: false, from: 5, to: 6, "b"));
        session.Send(Changes(full: false, from: 6, to: 9, "c"));
        session.Send(new ManagerMessage { Welcome = new Welcome() });
        session.Send(Changes(full: false, from: 9, to: 10, "d"));
        session.Send(Changes(full: true, from: 0, to: 11, "e"));
        session.Close();

        var read = new List<ManagerMessage>();
        await foreach (var message in session.ReadAllAsync(Cancelled))
        {
            read.Add(message);
        }

        Assert.Equal(4, read.Count);
        Assert.Equal(["a", "b", "c"], read[0].Assignments.Changes.Select(c => c.Id));
        Assert.Equal((true, 9ul), (read[0].Assignments.Full, read[0].Assignments.Revision));
        Assert.Equal((false, 9ul, 10ul), (read[2].Assignments.Full, read[2].Assignments.From, read[2].Assignments.Revision));
        Assert.True(read[3].Assignments.Full);
    }

    private static ManagerMessage Changes(bool full, ulong from, ulong to, string id) => new()
    {
        Assignments = new Assignments { Full = full, From = from, Revision = to, Changes = { new AssignmentChange { Id = id } } },
    };

    private static void Advance(DispatcherFixture fixture, int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            // The watcher arms its timer itself; each step is one look.
            fixture.Clock.Advance(s_step);
        }
    }
}
