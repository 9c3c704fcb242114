using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Assignments;
using Skep.Manager.Encryption;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Node;
using Skep.UnitTests.Manager.Dispatch;

namespace Skep.UnitTests.Manager.Encryption;

/// <summary>The managers' keys from the first network to a whole rotation, with a node's session that confirms or does not.</summary>
public sealed class KeyRotatorTests
{
    [Fact]
    public async Task Keys_go_only_to_nodes_with_an_encrypted_network_and_change_when_they_confirm()
    {
        await using var fixture = await DispatcherFixture.StartAsync(
            // Nobody beats its heart here.
            new SwarmCluster { Id = "cluster", Spec = new ClusterSpec { Dispatcher = new DispatcherConfig { HeartbeatPeriod = (long)TimeSpan.FromDays(10).TotalNanoseconds } } },
            DispatcherFixture.Node("node1"), DispatcherFixture.Node("node2"),
            Network("secret", encrypted: true), Network("clear", encrypted: false),
            TaskOn("task1", "node1", "secret"), TaskOn("task2", "node2", "clear"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(DispatcherFixture.Cancelled);
        var rotator = new KeyRotator(fixture.Store, fixture.Seal, Applied(fixture), fixture.Clock, NullLogger<KeyRotator>.Instance);
        var running = rotator.RunAsync(stop.Token);
        var (first, other) = (fixture.Connect("node1"), fixture.Connect("node2"));
        await fixture.UntilAsync(v => v.Nodes.Values.All(n => n.Status.State == NodeState.Ready));

        var set = await HearAsync(first, AssignmentSet.Empty, s => s.Plan.Keyring is not null);
        Assert.Equal(32, Assert.Single(set.Plan.Keyring!.Keys).Secret.Length);
        Assert.Equal(-1, fixture.Store.Current.Cluster!.Keyring!.Keys[0].WrappedSecret.AsSpan().IndexOf(set.Plan.Keyring.Keys[0].Secret));
        Confirm(first, set);

        fixture.Clock.Advance(KeyRotation.DefaultPeriod);
        set = await HearAsync(first, set, s => s.Plan.Keyring!.Keys.Count == 2);
        var before = set.Plan.Keyring!.Sending;
        Assert.Equal(set.Plan.Keyring.Keys[0].Id, before);

        // Not confirmed: nothing moves. Confirmed: the next look switches.
        fixture.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(before, fixture.Store.Current.Cluster!.Keyring!.Sending);
        Confirm(first, set);
        set = await LookAsync(fixture, first, set, s => s.Plan.Keyring!.Sending != before);
        Confirm(first, set);
        set = await LookAsync(fixture, first, set, s => s.Plan.Keyring!.Keys.Count == 1);
        Assert.NotEqual(before, set.Plan.Keyring!.Keys[0].Id);

        Assert.Null((await HearAsync(other, AssignmentSet.Empty, s => s.Revision > 0)).Plan.Keyring);
        Assert.Null(AssignmentSet.Empty.Apply(set.ToMessage()).Plan.Keyring);
        Assert.NotEmpty(AssignmentSet.Empty.Apply(set.ToMessage()).Plan.Networks);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Without_an_encrypted_network_there_are_no_keys()
    {
        await using var fixture = await DispatcherFixture.StartAsync(new SwarmCluster { Id = "cluster" }, Network("clear", encrypted: false));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(DispatcherFixture.Cancelled);
        var running = new KeyRotator(fixture.Store, fixture.Seal, Applied(fixture), fixture.Clock, NullLogger<KeyRotator>.Instance).RunAsync(stop.Token);

        fixture.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(fixture.Store.Current.Cluster!.Keyring);

        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Keys_that_the_dispatcher_has_not_heard_of_are_not_confirmed_and_nodes_that_went_down_are_counted_for_a_while()
    {
        await using var fixture = await DispatcherFixture.StartAsync(
            new SwarmCluster { Id = "cluster" }, DispatcherFixture.Node("node1"), Network("secret", encrypted: true), TaskOn("task1", "node1", "secret"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(DispatcherFixture.Cancelled);
        var running = new KeyRotator(fixture.Store, fixture.Seal, Applied(fixture), fixture.Clock, NullLogger<KeyRotator>.Instance).RunAsync(stop.Token);
        var line = fixture.Connect("node1");
        await fixture.UntilAsync(v => v.Nodes["node1"].Status.State == NodeState.Ready);
        var set = await HearAsync(line, AssignmentSet.Empty, s => s.Plan.Keyring is not null);
        await stop.CancelAsync();
        await running;
        Confirm(line, set);
        UntilApplied(r => r == set.Revision);

        var view = fixture.Store.Current;
        Assert.True(Applied(fixture)(view));
        Assert.False(Applied(fixture)(view.Apply(view.Revision + 1000, [view.Cluster! with { Version = view.Revision + 1000 }], []).View));

        var down = view.Nodes["node1"] with { UpdatedAt = fixture.Clock.GetUtcNow(), Status = new NodeStatus { State = NodeState.Down } };
        line.Say(new NodeMessage { Applied = new Applied { Revision = 0 } });
        UntilApplied(r => r == 0);
        Assert.False(fixture.Dispatcher.KeysAreApplied(view.Apply(view.Revision + 1, [down], []).View, TimeSpan.FromMinutes(1)));
        Assert.True(fixture.Dispatcher.KeysAreApplied(view.Apply(view.Revision + 1, [down with { UpdatedAt = down.UpdatedAt.AddMinutes(-1) }], []).View, TimeSpan.FromMinutes(1)));

        void UntilApplied(Func<ulong, bool> condition) =>
            Assert.True(SpinWait.SpinUntil(() => condition(fixture.Dispatcher.AppliedBy("node1")), TimeSpan.FromSeconds(10)));
    }

    private static Func<StoreView, bool> Applied(DispatcherFixture fixture) => view => fixture.Dispatcher.KeysAreApplied(view, KeyRotation.Patience);

    private static void Confirm(NodeLine line, AssignmentSet set) => line.Say(new NodeMessage { Applied = new Applied { Revision = set.Revision } });

    // The confirmation is heard by the dispatcher at some moment; each look of the rotator is a quarter of a second later.
    private static async Task<AssignmentSet> LookAsync(DispatcherFixture fixture, NodeLine line, AssignmentSet set, Func<AssignmentSet, bool> condition)
    {
        var heard = HearAsync(line, set, condition);
        while (!heard.IsCompleted)
        {
            fixture.Clock.Advance(TimeSpan.FromMilliseconds(250));
            await Task.Yield();
        }

        return await heard;
    }

    private static async Task<AssignmentSet> HearAsync(NodeLine line, AssignmentSet set, Func<AssignmentSet, bool> condition)
    {
        while (!condition(set))
        {
            set = set.Apply((await line.HearAsync(ManagerMessage.KindOneofCase.Assignments)).Assignments);
        }

        return set;
    }

    private static SwarmNetwork Network(string id, bool encrypted) => new()
    {
        Id = id,
        Vni = 5,
        Spec = new NetworkSpec
        {
            Name = id,
            DriverConfiguration = new Driver { Name = "overlay", Options = encrypted ? new Dictionary<string, string> { [EncryptionRules.Option] = "" } : null },
        },
    };

    private static SwarmTask TaskOn(string id, string node, string network) =>
        DispatcherFixture.TaskOf(id, node) with { Attachments = [new TaskAttachment(network, ["10.0.0.9/24"])] };
}
