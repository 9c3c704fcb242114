using System.Globalization;
using Google.Protobuf;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Protocol.Etcd;
using Skep.Rpc;

namespace Skep.Daemon.Supervision;

/// <summary>The managers' etcd as a child process, with every flag given by Skep.</summary>
public sealed class EtcdProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(20);

    private readonly TimeProvider _clock;
    private readonly EtcdProcessOptions _options;

    public EtcdProcess(EtcdProcessOptions options, TimeProvider clock, ILoggerFactory loggers)
    {
        _clock = clock;
        _options = options;
        Channel = RpcChannel.OverUnixSocket(options.SocketPath);
        Client = new EtcdClient(Channel, clock);
        Child = new ChildProcess(
            new ChildProcessOptions
            {
                Name = "etcd",
                FileName = options.FileName,
                Arguments = Arguments(options),
                WorkingDirectory = options.RunFolder,
                PidFile = Path.Combine(options.RunFolder, "etcd.pid"),
                LogFile = Path.Combine(options.RunFolder, "etcd.log"),
                IsHealthy = AnswersAsync,

                // etcd refuses to start over the socket that a killed one left.
                BeforeStart = () => File.Delete(options.SocketPath),
            },
            clock,
            loggers.CreateLogger<ChildProcess>());
    }

    public ChildProcess Child { get; }

    public RpcChannel Channel { get; }

    public EtcdClient Client { get; }

    /// <summary>
    /// The command line. A transaction may be as large as the store's largest; history is cut every five minutes to the
    /// newest 10 000 revisions; entries that were applied leave the memory after 10 000; every write is synced to the disk.
    /// </summary>
    public static IReadOnlyList<string> Arguments(EtcdProcessOptions options)
    {
        List<string> arguments =
        [
            $"--name={options.Name}",
            $"--data-dir={Path.GetFullPath(options.DataFolder)}",
            "--listen-client-urls=unix://client:0",
            "--advertise-client-urls=unix://client:0",
            $"--listen-peer-urls={options.PeerListenUrl ?? options.PeerUrl}",
            $"--initial-advertise-peer-urls={options.PeerUrl}",
            $"--initial-cluster={options.InitialCluster ?? $"{options.Name}={options.PeerUrl}"}",
            $"--initial-cluster-state={(options.Joins ? "existing" : "new")}",
            string.Create(CultureInfo.InvariantCulture, $"--max-txn-ops={2 * StoreTransaction.MostChanges + 96}"),
            "--max-request-bytes=10485760",
            "--quota-backend-bytes=8589934592",
            "--auto-compaction-mode=revision",
            "--auto-compaction-retention=10000",
            "--snapshot-count=10000",
            "--logger=zap",
            "--log-level=warn",
        ];
        if (options.PeerTls is { } tls)
        {
            arguments.AddRange(
            [
                $"--peer-cert-file={tls.CertificateFile}",
                $"--peer-key-file={tls.KeyFile}",
                $"--peer-trusted-ca-file={tls.TrustedRootFile}",
                "--peer-client-cert-auth",
            ]);
        }

        return arguments;
    }

    /// <summary>Keeps etcd running until cancelled, and leaves it running then.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        const UnixFileMode onlyUs = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        foreach (var folder in new[] { _options.RunFolder, _options.DataFolder })
        {
            Directory.CreateDirectory(folder, onlyUs);
            File.SetUnixFileMode(folder, onlyUs);
        }

        await Child.RunAsync(stopping);
    }

    /// <summary>Completes when etcd answers a read that needs its quorum.</summary>
    public async Task ReadyAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(s_poll, _clock);
        while (!await AnswersAsync(cancellationToken))
        {
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Child.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => Channel.DisposeAsync();

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Client.RangeAsync(new RangeRequest { Key = ByteString.CopyFromUtf8("/skep/health"), CountOnly = true }, cancellationToken);
            return true;
        }
        catch (ClusterException)
        {
            return false;
        }
    }
}
