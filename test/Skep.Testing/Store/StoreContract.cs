using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Xunit;

namespace Skep.Testing.Store;

/// <summary>What every store does and refuses. The fake and etcd both inherit it.</summary>
public abstract class StoreContract : IAsyncLifetime
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>An empty store whose manager leads.</summary>
    protected abstract IClusterStore Store { get; }

    protected abstract void LoseLeadership();

    public abstract ValueTask InitializeAsync();

    public abstract ValueTask DisposeAsync();

    [Fact]
    public async Task What_is_committed_stands_in_the_view_with_its_revision_as_version()
    {
        var revision = await CommitAsync(t => t.Create(Service("s1", "web")).Create(NewTask("t1", "s1", "n1")));

        Assert.Equal(revision, Store.Current.Revision);
        Assert.Equal(revision, Store.Current.Services["s1"].Version);
        Assert.Equal("s1", Store.Current.ServiceNamed("WEB")?.Id);
        Assert.Equal("t1", Assert.Single(Store.Current.TasksOfService("s1")).Id);
        Assert.Equal("t1", Assert.Single(Store.Current.TasksOnNode("n1")).Id);
    }

    [Fact]
    public async Task Every_kind_comes_back_as_it_was()
    {
        SwarmObject[] all = [new SwarmCluster { Id = "c" }, new SwarmNode { Id = "n", Role = "manager" }, Network("w", "back"), Service("s", "web"), NewTask("t", "s", "n")];

        await CommitAsync(t => all.Aggregate(t, (sum, value) => sum.Create(value)));

        foreach (var value in all)
        {
            Assert.Equal(value.UniqueName, Store.Current.Find(value.Kind, value.Id)?.UniqueName);
        }

        Assert.Equal("manager", Store.Current.Nodes["n"].Role);
        Assert.Equal("c", Store.Current.Cluster?.Id);
    }

    [Fact]
    public async Task An_update_needs_the_version_that_it_replaces()
    {
        await CommitAsync(t => t.Create(Service("s1", "web")));
        var first = Store.Current.Services["s1"];
        var revision = await CommitAsync(t => t.Update(first with { SpecVersion = 7 }));

        await RefusedAsync(ErrorKind.OutOfSequence, "update out of sequence", t => t.Update(first with { SpecVersion = 8 }));
        await RefusedAsync(ErrorKind.OutOfSequence, "update out of sequence", t => t.Remove(first));
        await RefusedAsync(ErrorKind.OutOfSequence, "update out of sequence", t => t.Update(first with { Version = revision + 1000 }));

        Assert.Equal((7UL, revision), (Store.Current.Services["s1"].SpecVersion, Store.Current.Services["s1"].Version));
    }

    [Fact]
    public async Task What_is_not_there_can_be_neither_updated_nor_removed()
    {
        await CommitAsync(t => t.Create(Service("s1", "web")));
        await CommitAsync(t => t.Remove(Store.Current.Services["s1"]));

        await RefusedAsync(ErrorKind.NotFound, "service s1 not found", t => t.Update(Service("s1", "web") with { Version = 2 }));
        await RefusedAsync(ErrorKind.NotFound, "service s1 not found", t => t.Remove(Service("s1", "web")));
    }

    [Fact]
    public async Task Ids_and_names_are_taken_once_whatever_the_case()
    {
        await CommitAsync(t => t.Create(Service("s1", "web")));

        await RefusedAsync(ErrorKind.Conflict, "service web already exists", t => t.Create(Service("s1", "web")));
        await RefusedAsync(ErrorKind.Conflict, "service WEB already exists", t => t.Create(Service("s2", "WEB")));
        await RefusedAsync(ErrorKind.Conflict, "service dup already exists", t => t.Create(Service("s3", "dup")).Create(Service("s4", "dup")));
        await CommitAsync(t => t.Create(Network("w1", "web")));
    }

    [Fact]
    public async Task A_name_is_free_again_after_removal_and_follows_a_rename()
    {
        await CommitAsync(t => t.Create(Service("s1", "one")).Create(Service("s2", "two")));

        await RefusedAsync(ErrorKind.Conflict, "service TWO already exists", t => t.Update(Renamed("s1", "TWO")));
        await CommitAsync(t => t.Update(Renamed("s1", "three")));
        await CommitAsync(t => t.Update(Renamed("s1", "THREE")));
        await CommitAsync(t => t.Create(Service("s4", "one")));
        await CommitAsync(t => t.Remove(Store.Current.Services["s2"]));
        await CommitAsync(t => t.Create(Service("s5", "two")));

        Assert.Equal(("s1", "s4", "s5"), (Id("three"), Id("one"), Id("two")));
    }

    [Fact]
    public async Task A_transaction_is_made_as_a_whole_or_not_at_all()
    {
        await CommitAsync(t => t.Create(Service("s1", "web")));
        var before = Store.Current.Revision;

        await RefusedAsync(ErrorKind.NotFound, "task gone not found", t => t
            .Create(Service("s2", "api"))
            .Update(Store.Current.Services["s1"] with { SpecVersion = 9 })
            .Remove(NewTask("gone", "s1", "n1")));

        Assert.Equal(before, Store.Current.Revision);
        Assert.Equal(0UL, Store.Current.Services["s1"].SpecVersion);
        await CommitAsync(t => t.Create(Service("s3", "api")));
    }

    [Fact]
    public async Task An_empty_transaction_changes_nothing()
    {
        var revision = await CommitAsync(t => t.Create(Service("s1", "web")));

        Assert.Equal(revision, await Store.CommitAsync(new StoreTransaction(), Stop));
    }

    [Fact]
    public async Task One_object_is_changed_once_per_transaction_and_not_too_many_at_a_time()
    {
        await RefusedAsync(ErrorKind.InvalidArgument, "a transaction changes service s1 twice", t => t.Create(Service("s1", "a")).Update(Service("s1", "b")));
        await RefusedAsync(ErrorKind.InvalidArgument, "a transaction has 2001 changes; the most is 2000", t =>
            Enumerable.Range(0, 2001).Aggregate(t, (sum, i) => sum.Create(NewTask($"t{i}", "s", "n"))));
    }

    [Fact]
    public async Task The_largest_transaction_goes_through()
    {
        await CommitAsync(t => Enumerable.Range(0, StoreTransaction.MostChanges).Aggregate(t, (sum, i) => sum.Create(Service($"s{i}", $"name{i}"))));

        Assert.Equal(StoreTransaction.MostChanges, Store.Current.Services.Count);
    }

    [Fact]
    public async Task Without_the_leadership_only_what_anybody_may_write_is_written()
    {
        await Store.CommitAsync(new StoreTransaction { LeaderOnly = true }.Create(Service("s1", "a")), Stop);
        LoseLeadership();

        var refusal = await Assert.ThrowsAsync<ClusterException>(
            () => Store.CommitAsync(new StoreTransaction { LeaderOnly = true }.Create(Service("s2", "b")), Stop));

        Assert.Equal((ErrorKind.Unavailable, "this manager is not the leader"), (refusal.Kind, refusal.Message));
        await CommitAsync(t => t.Create(Service("s2", "b")));
    }

    [Fact]
    public async Task A_follower_sees_each_commit_once_in_order_with_old_and_new()
    {
        await CommitAsync(t => t.Create(Service("s1", "web")));
        var (snapshot, commits) = Store.SnapshotAndFollow();
        await CommitAsync(t => t.Update(Store.Current.Services["s1"] with { SpecVersion = 2 }).Create(NewTask("t1", "s1", "n1")));
        await CommitAsync(t => t.Remove(Store.Current.Services["s1"]));

        Assert.Single(snapshot.Services);
        var seen = await commits.Take(2).ToListAsync(Stop).AsTask().WaitAsync(Patience, Stop);
        Assert.Equal(["s1 0→2", "t1 new"], seen[0].Events.Select(Describe));
        Assert.Equal(["s1 gone"], seen[1].Events.Select(Describe));
        Assert.Single(seen[0].View.Services);
        Assert.Empty(seen[1].View.Services);
    }

    [Fact]
    public async Task Of_many_writers_of_one_version_exactly_one_wins()
    {
        await CommitAsync(t => t.Create(Service("s1", "web")));
        var read = Store.Current.Services["s1"];

        var outcomes = await Task.WhenAll(Enumerable.Range(1, 20).Select(async i =>
        {
            try
            {
                await Task.Yield();
                await CommitAsync(t => t.Update(read with { SpecVersion = (ulong)i }));
                return true;
            }
            catch (ClusterException refusal) when (refusal.Kind == ErrorKind.OutOfSequence)
            {
                return false;
            }
        }));

        Assert.Single(outcomes, true);
    }

    protected Task<ulong> CommitAsync(Func<StoreTransaction, StoreTransaction> build) => Store.CommitAsync(build(new StoreTransaction()), Stop);

    protected static SwarmService Service(string id, string name) => new() { Id = id, Spec = new ServiceSpec { Name = name } };

    protected static SwarmTask NewTask(string id, string service, string node) => new() { Id = id, ServiceId = service, NodeId = node };

    private static SwarmNetwork Network(string id, string name) => new() { Id = id, Spec = new NetworkSpec { Name = name } };

    private static string Describe(StoreEvent change) => change switch
    {
        { Old: null } => $"{change.Subject.Id} new",
        { New: null } => $"{change.Subject.Id} gone",
        _ => $"{change.Subject.Id} {((SwarmService)change.Old).SpecVersion}→{((SwarmService)change.New).SpecVersion}",
    };

    private async Task RefusedAsync(ErrorKind kind, string message, Func<StoreTransaction, StoreTransaction> build)
    {
        var refusal = await Assert.ThrowsAsync<ClusterException>(() => CommitAsync(build));
        Assert.Equal((kind, message), (refusal.Kind, refusal.Message));
    }

    private SwarmService Renamed(string id, string name) => Store.Current.Services[id] with { Spec = Store.Current.Services[id].Spec with { Name = name } };

    private string? Id(string name) => Store.Current.ServiceNamed(name)?.Id;
}
