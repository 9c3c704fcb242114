using System.Diagnostics;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Rpc;

namespace Skep.Testing.Store;

/// <summary>A real etcd of a test's own: unix sockets and data in a temporary folder.</summary>
public sealed class EtcdServer : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-etcd-").FullName;
    private Process? _process;

    private EtcdServer()
    {
        Channel = RpcChannel.OverUnixSocket(SocketPath);
        Client = new EtcdClient(Channel, TimeProvider.System);
    }

    public string SocketPath => Path.Combine(_folder, "client:0");

    public EtcdClient Client { get; }

    public RpcChannel Channel { get; }

    public static async Task<EtcdServer> StartNewAsync(CancellationToken cancellationToken)
    {
        var server = new EtcdServer();
        try
        {
            await server.StartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts etcd over the data that is there, and waits until it answers.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // etcd refuses to start over the socket that a killed one left.
        File.Delete(SocketPath);
        var start = new ProcessStartInfo("etcd")
        {
            WorkingDirectory = _folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        string[] arguments =
        [
            "--name=test", "--data-dir=data", "--listen-client-urls=unix://client:0", "--advertise-client-urls=unix://client:0",
            "--listen-peer-urls=unix://peer:0", "--initial-advertise-peer-urls=http://127.0.0.1:1", "--initial-cluster=test=http://127.0.0.1:1",
            "--max-txn-ops=4096", "--max-request-bytes=16777216", "--logger=zap", "--log-level=error",
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await Client.RangeAsync(new Protocol.Etcd.RangeRequest { Key = Google.Protobuf.ByteString.CopyFromUtf8("x") }, cancellationToken);
                return;
            }
            catch (ClusterException refusal) when (refusal.Kind == ErrorKind.Unavailable && attempt < 400 && !_process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, cancellationToken);
            }
        }
    }

    /// <summary>Takes etcd away as a power loss does.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync();
        await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
