using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Manager.Leadership;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Rpc;
using Skep.Testing.Rpc;
using Skep.Testing.Store;

namespace Skep.KernelTests.Leadership;

/// <summary>Elections on a real etcd.</summary>
public sealed class LeadershipTests : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private EtcdServer _etcd = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _etcd = await EtcdServer.StartNewAsync(Stop);

    public async ValueTask DisposeAsync() => await _etcd.DisposeAsync();

    [Fact]
    public async Task A_lone_manager_wins_and_may_write_as_leader()
    {
        await using var manager = await Manager.StartAsync("a", _etcd.Client);
        await manager.ElectedAsync();

        await manager.WriteAsync("n1");

        Assert.Equal("a", manager.Leadership.LeaderId);
        Assert.True(manager.Leadership.IsLeader);
    }

    [Fact]
    public async Task After_a_crash_the_same_node_leads_again_at_once_and_its_old_life_cannot_write()
    {
        await using var relay = new SocketRelay(_etcd.SocketPath);
        relay.Open();
        await using var channel = RpcChannel.OverUnixSocket(relay.SocketPath);
        await using var before = await Manager.StartAsync("a", new EtcdClient(channel, TimeProvider.System), leaseSeconds: 60);
        await before.ElectedAsync();
        var old = before.Store.LeaderRevision;
        await relay.CutAsync();
        var clock = Stopwatch.StartNew();

        await using var after = await Manager.StartAsync("a", _etcd.Client, leaseSeconds: 60);
        await after.ElectedAsync();

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
        await after.WriteAsync("n1");
        after.Store.LeaderRevision = old;
        var refusal = await Assert.ThrowsAsync<ClusterException>(() => after.WriteAsync("n2"));
        Assert.Equal("this manager is not the leader", refusal.Message);
    }

    [Fact]
    public async Task When_the_leader_stops_the_other_follows_at_once()
    {
        await using var first = await Manager.StartAsync("a", _etcd.Client, leaseSeconds: 60);
        await first.ElectedAsync();
        await using var second = await Manager.StartAsync("b", _etcd.Client);
        await Assert.ThrowsAsync<ClusterException>(() => second.WriteAsync("n1"));

        await first.StopAsync();

        await second.ElectedAsync();
        await second.WriteAsync("n1");
        Assert.False(first.Leadership.IsLeader);
    }

    [Fact]
    public async Task An_answer_that_is_seen_after_the_lease_has_run_out_ends_the_term()
    {
        var clock = new StandstillClock(callsBefore: 3);
        var (lease, _) = await LeaderLease.TryTakeAsync(_etcd.Client, clock, "a", 60, Stop);

        Assert.Equal("the store did not extend the lease in time", await lease!.KeepAsync(Stop).WaitAsync(s_patience, Stop));
    }

    [Fact]
    public async Task A_leader_that_is_cut_off_steps_down_and_another_takes_over()
    {
        await using var relay = new SocketRelay(_etcd.SocketPath);
        relay.Open();
        await using var channel = RpcChannel.OverUnixSocket(relay.SocketPath);
        await using var first = await Manager.StartAsync("a", new EtcdClient(channel, TimeProvider.System), leaseSeconds: 2);
        await first.ElectedAsync();
        await using var second = await Manager.StartAsync("b", _etcd.Client);

        await relay.CutAsync();

        await first.DeposedAsync();
        await second.ElectedAsync();
        Assert.False(first.Leadership.IsLeader);
        relay.Open();
    }

    private sealed class Manager : IAsyncDisposable
    {
        private readonly Channel<bool> _terms = Channel.CreateUnbounded<bool>();
        private readonly CancellationTokenSource _stopping = new();
        private Task _running = Task.CompletedTask;

        private Manager(string node, EtcdClient etcd, int leaseSeconds)
        {
            Store = new EtcdClusterStore(etcd, TimeProvider.System, NullLogger<EtcdClusterStore>.Instance);
            Leadership = new Skep.Manager.Leadership.Leadership(
                etcd,
                Store,
                new LeadershipOptions { NodeId = node, LeaseSeconds = leaseSeconds },
                TimeProvider.System,
                NullLogger<Skep.Manager.Leadership.Leadership>.Instance);
        }

        public EtcdClusterStore Store { get; }

        public Skep.Manager.Leadership.Leadership Leadership { get; }

        public static async Task<Manager> StartAsync(string node, EtcdClient etcd, int leaseSeconds = 3)
        {
            var manager = new Manager(node, etcd, leaseSeconds);
            await manager.Store.StartAsync(Stop);
            manager._running = manager.Leadership.RunAsync(manager.GovernAsync, manager._stopping.Token);
            return manager;
        }

        public async Task ElectedAsync() => Assert.True(await _terms.Reader.ReadAsync(Stop).AsTask().WaitAsync(s_patience, Stop));

        public async Task DeposedAsync() => Assert.False(await _terms.Reader.ReadAsync(Stop).AsTask().WaitAsync(s_patience, Stop));

        public Task<ulong> WriteAsync(string id) => Store.CommitAsync(new StoreTransaction { LeaderOnly = true }.Create(new SwarmNode { Id = id }), Stop);

        public async Task StopAsync()
        {
            await _stopping.CancelAsync();
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            await Store.DisposeAsync();
            _stopping.Dispose();
        }

        private async Task GovernAsync(CancellationToken term)
        {
            _terms.Writer.TryWrite(true);
            try
            {
                await Task.Delay(Timeout.Infinite, term);
            }
            finally
            {
                _terms.Writer.TryWrite(false);
            }
        }
    }
}
