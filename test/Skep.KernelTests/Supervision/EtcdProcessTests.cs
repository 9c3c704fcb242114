using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Daemon.Supervision;
using Skep.Manager.Store;
using Skep.Model.Objects;

namespace Skep.KernelTests.Supervision;

/// <summary>The real etcd with the flags that Skep gives it.</summary>
public sealed class EtcdProcessTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("skep-etcdp-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_survives_a_kill_and_is_taken_over_by_the_next_daemon_with_its_data()
    {
        using var stopping = new CancellationTokenSource();
        await using var etcd = NewEtcd();
        var running = etcd.RunAsync(stopping.Token);
        await etcd.ReadyAsync(Stop).WaitAsync(s_patience, Stop);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(_folder, "run")));
        await using var store = new EtcdClusterStore(etcd.Client, TimeProvider.System, NullLogger<EtcdClusterStore>.Instance);
        await store.StartAsync(Stop);
        await store.CommitAsync(new StoreTransaction().Create(new SwarmNode { Id = "n1" }), Stop);

        var first = etcd.Child.ProcessId!.Value;
        Process.GetProcessById(first).Kill();
        await etcd.ReadyAsync(Stop).WaitAsync(s_patience, Stop);
        await store.CommitAsync(new StoreTransaction().Create(new SwarmNode { Id = "n2" }), Stop);
        var second = etcd.Child.ProcessId!.Value;
        Assert.NotEqual(first, second);

        await stopping.CancelAsync();
        await running;
        await using var next = NewEtcd();
        using var nextStopping = new CancellationTokenSource();
        var adopted = new TaskCompletionSource<int>();
        next.Child.Started += pid => adopted.TrySetResult(pid);
        var nextRunning = next.RunAsync(nextStopping.Token);

        Assert.Equal(second, await adopted.Task.WaitAsync(s_patience, Stop));
        Assert.Equal(["n1", "n2"], store.Current.Nodes.Keys.Order());

        await next.StopAsync(Stop);
        await nextRunning.WaitAsync(s_patience, Stop);
        Assert.Null(next.Child.ProcessId);
    }

    private EtcdProcess NewEtcd() => new(
        new EtcdProcessOptions
        {
            Name = "n1",
            DataFolder = Path.Combine(_folder, "data"),
            RunFolder = Path.Combine(_folder, "run"),
            PeerUrl = "http://127.0.0.1:1",
            PeerListenUrl = "unix://peer:0",
        },
        TimeProvider.System,
        NullLoggerFactory.Instance);
}
