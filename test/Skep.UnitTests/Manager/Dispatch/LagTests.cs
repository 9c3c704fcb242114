using Skep.Manager.Dispatch;
using Skep.Manager.Store;
using Skep.Model.States;
using Skep.Protocol.Node;
using Skep.Testing.Time;
using static Skep.UnitTests.Manager.Dispatch.DispatcherFixture;

namespace Skep.UnitTests.Manager.Dispatch;

public sealed class LagTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task A_living_node_that_does_not_apply_what_it_was_sent_is_named_once_until_it_has_caught_up()
    {
        await using var fixture = await StartAsync(Node("n1"));
        var line = fixture.Connect("n1");
        var first = (await line.HearAsync(ManagerMessage.KindOneofCase.Assignments)).Assignments.Revision;
        line.Say(new NodeMessage { Applied = new Applied { Revision = first } });
        await BeatAsync(line, 1);
        await fixture.Store.CommitAsync(new StoreTransaction().Create(TaskOf("t1", "n1")), Cancelled);
        var wanted = (await line.HearAsync(ManagerMessage.KindOneofCase.Assignments)).Assignments.Revision;

        fixture.Clock.Advance(TimeSpan.FromSeconds(3));
        await BeatAsync(line, 2);
        fixture.Clock.Advance(TimeSpan.FromSeconds(2));
        await BeatAsync(line, 3);
        Assert.Empty(fixture.Journal.Of("is behind"));
        Assert.Null(fixture.Store.Current.Nodes["n1"].Status.Message);

        fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        await BeatAsync(line, 4);
        var message = $"its network is behind: revision {first} is applied, {wanted} was sent";
        await fixture.UntilAsync(v => v.Nodes["n1"].Status.Message == message);

        // Said once: neither log nor store hear of it again, whatever the node beats.
        var version = fixture.Store.Current.Nodes["n1"].Version;
        fixture.Clock.Advance(TimeSpan.FromSeconds(3));
        await BeatAsync(line, 5);
        fixture.Clock.Advance(TimeSpan.FromSeconds(3));
        await BeatAsync(line, 6);
        Assert.Equal(
            [$"Warning: Node n1 (host-n1) is behind: its kernel has revision {first}, revision {wanted} was sent to it more than 5 s ago"],
            fixture.Journal.Of("is behind"));
        Assert.Equal(version, fixture.Store.Current.Nodes["n1"].Version);

        // Findings stand beside it, and stay when it has caught up.
        line.Say(new NodeMessage { Findings = new Findings { Findings_ = { "no VXLAN frames from n2" } } });
        await fixture.UntilAsync(v => v.Nodes["n1"].Status.Message == $"{message}; no VXLAN frames from n2");
        line.Say(new NodeMessage { Applied = new Applied { Revision = wanted } });
        var view = await fixture.UntilAsync(v => v.Nodes["n1"].Status.Message == "no VXLAN frames from n2");
        Assert.Equal(NodeState.Ready, view.Nodes["n1"].Status.State);
        Assert.Equal([$"Information: Node n1 (host-n1) has caught up with revision {wanted}"], fixture.Journal.Of("caught up"));
    }

    [Fact]
    public async Task Repairs_of_a_node_are_known_while_it_has_a_session_and_new_ones_are_told()
    {
        await using var fixture = await StartAsync(Node("n1"));
        var line = fixture.Connect("n1");
        await line.HearAsync(ManagerMessage.KindOneofCase.Assignments);
        Assert.Null(fixture.Dispatcher.RepairsOf("n1"));

        await BeatAsync(line, 4);
        await BeatAsync(line, 4);
        Assert.Empty(fixture.Journal.Of("put right"));
        await BeatAsync(line, 6);
        await BeatAsync(line, 6);
        Assert.Equal(
            ["Information: Node n1 (host-n1) put right what others had changed in its kernel, 2 times; 6 since its daemon's start"], fixture.Journal.Of("put right"));

        line.HangUp();
        await line.EndedAsync();
        Assert.Null(fixture.Dispatcher.RepairsOf("n1"));
    }

    [Fact]
    public void A_node_that_follows_a_busy_swarm_step_by_step_is_not_behind()
    {
        var clock = new ManualClock();
        var lag = new Lag(clock);
        for (var revision = 2ul; revision < 40; revision++)
        {
            lag.Sent(revision);
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.False(lag.Applied(revision - 1));
            Assert.Null(lag.Look(s_patience));
        }

        // It stops at 38 and is 39 and then more behind.
        lag.Sent(45);
        clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Null(lag.Look(s_patience));
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((38ul, 45ul), lag.Look(s_patience));
        Assert.False(lag.Applied(44));
        Assert.Equal("its network is behind: revision 38 is applied, 45 was sent", lag.Message);
        Assert.True(lag.Applied(45));
        Assert.Null(lag.Message);
    }

    [Fact]
    public void What_a_node_had_applied_before_it_was_sent_is_not_awaited()
    {
        var clock = new ManualClock();
        var lag = new Lag(clock);
        lag.Applied(9);
        lag.Sent(9);
        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(lag.Look(s_patience));
    }

    private static Task BeatAsync(NodeLine line, ulong repairs)
    {
        line.Say(new NodeMessage { Heartbeat = new Heartbeat { Repairs = repairs } });
        return line.TakenAsync();
    }
}
