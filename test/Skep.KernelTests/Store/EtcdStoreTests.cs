using System.Diagnostics;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Protocol.Etcd;
using Skep.Rpc;
using Skep.Testing.Rpc;
using Skep.Testing.Store;

namespace Skep.KernelTests.Store;

/// <summary>The store on a real etcd, which is a child process of the test.</summary>
public sealed class EtcdStoreTests : StoreContract
{
    private EtcdServer _etcd = null!;
    private EtcdClusterStore _store = null!;

    protected override IClusterStore Store => _store;

    public override async ValueTask InitializeAsync()
    {
        _etcd = await EtcdServer.StartNewAsync(Stop);
        var put = new TxnRequest();
        put.Success.Add(new RequestOp { RequestPut = new PutRequest { Key = ByteString.CopyFromUtf8("/skep/v1/leader"), Value = ByteString.CopyFromUtf8("me") } });
        var led = await _etcd.Client.TxnAsync(put, Stop);
        _store = NewStore();
        _store.LeaderRevision = led.Header.Revision;
        try
        {
            await _store.StartAsync(Stop);
        }
        catch
        {
            // A test that could not be set up is not disposed of.
            await DisposeAsync();
            throw;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _etcd.DisposeAsync();
    }

    protected override void LoseLeadership() => _store.LeaderRevision = null;

    [Fact]
    public async Task A_leader_that_does_not_know_that_it_lost_is_refused_by_etcd()
    {
        _store.LeaderRevision -= 1;

        var refusal = await Assert.ThrowsAsync<ClusterException>(
            () => Store.CommitAsync(new StoreTransaction { LeaderOnly = true }.Create(Service("s1", "a")), Stop));

        Assert.Equal((ErrorKind.Unavailable, "this manager is not the leader"), (refusal.Kind, refusal.Message));
    }

    [Fact]
    public async Task Two_managers_see_each_others_commits()
    {
        await using var other = NewStore();
        await CommitAsync(t => t.Create(Service("s1", "before")));
        await other.StartAsync(Stop);
        var (snapshot, commits) = other.SnapshotAndFollow();
        await CommitAsync(t => t.Create(Service("s2", "after")));

        Assert.Equal("before", Assert.Single(snapshot.Services.Values).Spec.Name);
        var commit = await commits.FirstAsync(Stop).AsTask().WaitAsync(Patience, Stop);
        Assert.Equal("s2", Assert.Single(commit.Events).Subject.Id);

        await other.CommitAsync(new StoreTransaction().Update(Renamed(other, "s1")), Stop);
        await Assert.ThrowsAsync<ClusterException>(() => other.CommitAsync(new StoreTransaction().Create(Service("s9", "AFTER")), Stop));
    }

    /// <summary>A new leader must not give out addresses before it knows of those that the last one gave.</summary>
    [Fact]
    public async Task A_leader_whose_watch_lags_sees_all_earlier_commits_behind_the_barrier()
    {
        await using var relay = new SocketRelay(_etcd.SocketPath);
        relay.Open();
        await using var channel = RpcChannel.OverUnixSocket(relay.SocketPath);
        await using var next = NewStore(new EtcdClient(channel, TimeProvider.System));
        await next.StartAsync(Stop);
        await relay.CutAsync();
        for (var i = 0; i < 20; i++)
        {
            await CommitAsync(t => t.Create(NewTask($"t{i}", "s", "n")));
        }

        Assert.Empty(next.Current.Tasks);
        next.LeaderRevision = _store.LeaderRevision;
        relay.Open();

        var revision = await BarrierAsync(next);

        Assert.Equal(20, next.Current.Tasks.Count);
        Assert.True(next.Current.Revision >= revision);
        next.LeaderRevision -= 1;
        await Assert.ThrowsAsync<ClusterException>(() => next.CommitAsync(new StoreTransaction { LeaderOnly = true }, Stop));
    }

    [Fact]
    public async Task A_store_of_several_pages_is_loaded_at_one_revision()
    {
        for (var page = 0; page < 3; page++)
        {
            await CommitAsync(t => Enumerable.Range(0, 900).Aggregate(t, (sum, i) => sum.Create(NewTask($"t{page}-{i}", "s", "n"))));
        }

        await using var other = NewStore();
        await other.StartAsync(Stop);

        Assert.Equal(2700, other.Current.Tasks.Count);
        Assert.Equal(_store.Current.Revision, other.Current.Revision);
    }

    [Fact]
    public async Task While_etcd_is_away_a_commit_is_refused_and_afterwards_all_goes_on()
    {
        await CommitAsync(t => t.Create(Service("s1", "a")));
        var (_, commits) = _store.SnapshotAndFollow();
        await _etcd.KillAsync();
        var clock = Stopwatch.StartNew();

        var refusal = await Assert.ThrowsAsync<ClusterException>(() => CommitAsync(t => t.Create(Service("s2", "b"))));

        Assert.Equal(ErrorKind.Unavailable, refusal.Kind);
        Assert.StartsWith("the store is not available: ", refusal.Message, StringComparison.Ordinal);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(4), $"{clock.Elapsed}");
        Assert.Single(Store.Current.Services);

        await _etcd.StartAsync(Stop);
        await CommitAsync(t => t.Create(Service("s3", "c")));
        var commit = await commits.FirstAsync(Stop).AsTask().WaitAsync(Patience, Stop);
        Assert.Equal("s3", Assert.Single(commit.Events).Subject.Id);
    }

    [Fact]
    public async Task A_history_that_was_compacted_away_comes_as_one_difference()
    {
        await using var relay = new SocketRelay(_etcd.SocketPath);
        relay.Open();
        await using var channel = RpcChannel.OverUnixSocket(relay.SocketPath);
        await using var other = NewStore(new EtcdClient(channel, TimeProvider.System));
        await CommitAsync(t => t.Create(Service("s1", "a")).Create(Service("s2", "b")));
        await other.StartAsync(Stop);
        var (_, commits) = other.SnapshotAndFollow();
        await relay.CutAsync();
        await CommitAsync(t => t.Remove(Store.Current.Services["s1"]));
        await CommitAsync(t => t.Create(Service("s3", "c")));
        var last = await CommitAsync(t => t.Update(Store.Current.Services["s2"] with { SpecVersion = 5 }));
        await _etcd.Client.CompactAsync(new CompactionRequest { Revision = (long)last }, Stop);
        relay.Open();

        var commit = await commits.FirstAsync(Stop).AsTask().WaitAsync(Patience, Stop);

        Assert.Equal(["s1", "s2", "s3"], commit.Events.Select(e => e.Subject.Id).Order());
        Assert.Equal(["s2", "s3"], commit.View.Services.Keys.Order());
        Assert.Equal(last, commit.View.Revision);
    }

    private static Model.Objects.SwarmService Renamed(EtcdClusterStore store, string id) =>
        store.Current.Services[id] with { Spec = store.Current.Services[id].Spec with { Name = "renamed" } };

    private EtcdClusterStore NewStore(EtcdClient? client = null) => new(client ?? _etcd.Client, TimeProvider.System, NullLogger<EtcdClusterStore>.Instance);

    /// <summary>As the leader's loop asks for it: until the store answers.</summary>
    private static async Task<ulong> BarrierAsync(EtcdClusterStore store)
    {
        while (true)
        {
            try
            {
                return await store.CommitAsync(new StoreTransaction { LeaderOnly = true }, Stop);
            }
            catch (ClusterException away) when (away.Message.StartsWith("the store is not available", StringComparison.Ordinal))
            {
                await Task.Yield();
            }
        }
    }
}
