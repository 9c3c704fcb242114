using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Node;
using static Skep.UnitTests.Manager.Dispatch.DispatcherFixture;

namespace Skep.UnitTests.Manager.Dispatch;

/// <summary>Who is waited for before a task may stop, and what its node is told.</summary>
public sealed class DrainTests
{
    private static readonly SwarmNetwork s_network = new()
    {
        Id = "net1",
        Vni = 4097,
        Spec = new NetworkSpec { Name = "net1" },
        Subnets = [new IpamConfig { Subnet = "10.0.1.0/24", Gateway = "10.0.1.1" }],
    };

    [Fact]
    public async Task A_task_is_drained_when_every_node_that_balances_to_it_has_applied_it()
    {
        await using var fixture = await SwarmAsync();
        var (one, two, three) = (await LineAsync(fixture, "n1"), await LineAsync(fixture, "n2"), await LineAsync(fixture, "n3"));

        var revision = await StopAsync(fixture, "t1");
        Confirm(fixture, "n1", one, revision);
        Confirm(fixture, "n2", two, revision - 1);
        // n3 has no task on the network and is not asked; n2 says again, and now of the right revision.
        await NothingAsync(fixture, one);
        Confirm(fixture, "n2", two, revision + 3);

        var word = Assert.Single((await one.HearAsync(ManagerMessage.KindOneofCase.Drained)).Drained.Tasks);
        Assert.Equal(("t1", revision, true, 2000L), (word.TaskId, word.Revision, word.Stopping, word.GraceMilliseconds));
        Assert.Equal(["host-n1", "host-n2"], word.Confirmed);
        Assert.Empty(word.Unconfirmed);
        Assert.NotNull(three);
    }

    [Fact]
    public async Task A_node_that_does_not_confirm_is_named_after_the_patience()
    {
        await using var fixture = await SwarmAsync();
        var (one, _) = (await LineAsync(fixture, "n1"), await LineAsync(fixture, "n2"));
        var revision = await StopAsync(fixture, "t1");
        Confirm(fixture, "n1", one, revision);
        await NothingAsync(fixture, one);

        fixture.Clock.Advance(TimeSpan.FromSeconds(2));

        var word = Assert.Single((await one.HearAsync(ManagerMessage.KindOneofCase.Drained)).Drained.Tasks);
        Assert.Equal("host-n1 but not host-n2", $"{word.Confirmed.Single()} but not {word.Unconfirmed.Single()}");
    }

    [Fact]
    public async Task A_node_that_goes_down_is_not_waited_for_and_is_named()
    {
        await using var fixture = await SwarmAsync();
        var (one, _) = (await LineAsync(fixture, "n1"), await LineAsync(fixture, "n2"));
        var revision = await StopAsync(fixture, "t1");
        Confirm(fixture, "n1", one, revision);

        await fixture.Store.EditNodeAsync("n2", n => n with { Status = n.Status with { State = NodeState.Down } }, Cancelled);

        var word = Assert.Single((await one.HearAsync(ManagerMessage.KindOneofCase.Drained)).Drained.Tasks);
        Assert.Equal("host-n1 but not host-n2", $"{word.Confirmed.Single()} but not {word.Unconfirmed.Single()}");
    }

    [Theory]
    [InlineData(TaskState.Starting)]
    [InlineData(TaskState.Preparing)]
    public async Task A_task_that_never_took_flows_is_drained_at_once(TaskState state)
    {
        await using var fixture = await SwarmAsync();
        var one = await LineAsync(fixture, "n1");
        await fixture.Store.CommitAsync(new StoreTransaction().Create(TaskOn("t3", "n1", state)), Cancelled);

        await StopAsync(fixture, "t3");

        Assert.Equal("t3", Assert.Single((await one.HearAsync(ManagerMessage.KindOneofCase.Drained)).Drained.Tasks).TaskId);
    }

    [Fact]
    public async Task A_manager_that_starts_again_knows_what_drains_from_the_store_and_tells_every_session()
    {
        var draining = TaskOn("t1", "n1", TaskState.Running) with { DesiredState = TaskState.Shutdown };
        await using var fixture = await StartAsync(s_network, Node("n1"), Node("n2"), draining, TaskOn("t2", "n2", TaskState.Running));
        var one = await LineAsync(fixture, "n1");
        Confirm(fixture, "n1", one, 1000);
        await NothingAsync(fixture, one);
        var two = await LineAsync(fixture, "n2");
        Confirm(fixture, "n2", two, 1000);

        Assert.Equal("t1", Assert.Single((await one.HearAsync(ManagerMessage.KindOneofCase.Drained)).Drained.Tasks).TaskId);
        var again = fixture.Connect("n1");
        Assert.Equal(["host-n1", "host-n2"], Assert.Single((await again.HearAsync(ManagerMessage.KindOneofCase.Drained)).Drained.Tasks).Confirmed);

        // When the task is over there is nothing to say of it any more.
        await EditAsync(fixture, "t1", t => t with { Status = t.Status with { State = TaskState.Shutdown } });
        var last = fixture.Connect("n1");
        await NothingAsync(fixture, last);
    }

    [Fact]
    public async Task An_unhealthy_task_drains_and_is_told_once_more_when_it_is_to_stop()
    {
        await using var fixture = await SwarmAsync();
        var (one, two) = (await LineAsync(fixture, "n1"), await LineAsync(fixture, "n2"));
        await EditAsync(fixture, "t1", t => t with { Status = t.Status with { Unhealthy = true } });
        var revision = fixture.Store.Current.Revision;
        Confirm(fixture, "n1", one, revision);
        Confirm(fixture, "n2", two, revision);
        Assert.False(Assert.Single((await one.HearAsync(ManagerMessage.KindOneofCase.Drained)).Drained.Tasks).Stopping);

        await StopAsync(fixture, "t1");

        var word = Assert.Single((await one.HearAsync(ManagerMessage.KindOneofCase.Drained)).Drained.Tasks);
        Assert.Equal((true, revision), (word.Stopping, word.Revision));
    }

    private static async Task<DispatcherFixture> SwarmAsync()
    {
        var fixture = await StartAsync(
            s_network, Node("n1"), Node("n2"), Node("n3"), TaskOn("t1", "n1", TaskState.Running), TaskOn("t2", "n2", TaskState.Running));
        return fixture;
    }

    private static SwarmTask TaskOn(string id, string node, TaskState state) =>
        TaskOf(id, node, state) with { Attachments = [new TaskAttachment("net1", [$"10.0.1.{10 + id[1] - '0'}/24"])] };

    private static async Task<NodeLine> LineAsync(DispatcherFixture fixture, string node)
    {
        var line = fixture.Connect(node);
        await line.HearAsync(ManagerMessage.KindOneofCase.Assignments);
        await fixture.UntilAsync(v => v.Nodes[node].Status.State == NodeState.Ready);
        return line;
    }

    private static async Task<ulong> StopAsync(DispatcherFixture fixture, string task)
    {
        await EditAsync(fixture, task, t => t with { DesiredState = TaskState.Shutdown });
        return fixture.Store.Current.Revision;
    }

    private static Task EditAsync(DispatcherFixture fixture, string task, Func<SwarmTask, SwarmTask> change) =>
        fixture.Store.EditAsync(view => new StoreTransaction().Update(change(view.Tasks[task])), Cancelled);

    /// <summary>The node reports, and the managers have heard it.</summary>
    private static void Confirm(DispatcherFixture fixture, string node, NodeLine line, ulong revision)
    {
        line.Say(new NodeMessage { Applied = new Applied { Revision = revision } });
        Assert.True(SpinWait.SpinUntil(() => fixture.Dispatcher.AppliedBy(node) == revision, TimeSpan.FromSeconds(10)));
    }

    /// <summary>Everything that was said so far has been taken in, and the node was told of no drain.</summary>
    private static async Task NothingAsync(DispatcherFixture fixture, NodeLine line)
    {
        var request = Guid.NewGuid().ToString();
        await fixture.Store.CommitAsync(new StoreTransaction().Create(TaskOf(request, "n1")), Cancelled);
        while (true)
        {
            var message = await line.HearAsync();
            Assert.NotEqual(ManagerMessage.KindOneofCase.Drained, message.KindCase);
            if (message.Assignments?.Changes.Any(c => c.Id == request) == true)
            {
                return;
            }
        }
    }
}
