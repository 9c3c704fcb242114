using System.Diagnostics;
using Skep.Rpc;

namespace Skep.Testing.Containerd;

/// <summary>A real containerd of a test's own: root, state and sockets in a temporary folder. Needs root.</summary>
public sealed class ContainerdServer : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-containerd-").FullName;
    private readonly List<string> _log = [];
    private Process? _process;

    private ContainerdServer() => Channel = RpcChannel.OverUnixSocket(SocketPath).WithHeader("containerd-namespace", "skep");

    public string Folder => _folder;

    public string SocketPath => Path.Combine(_folder, "c.sock");

    /// <summary>Calls go to the namespace skep.</summary>
    public RpcChannel Channel { get; }

    public static async Task<ContainerdServer> StartNewAsync(CancellationToken cancellationToken)
    {
        var server = new ContainerdServer();
        await server.StartAsync(cancellationToken);
        return server;
    }

    /// <summary>Starts containerd over the data that is there, and waits until it says that it serves.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var config = Path.Combine(_folder, "config.toml");
        await File.WriteAllTextAsync(config, Config(), cancellationToken);
        var start = new ProcessStartInfo("containerd") { RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("--config=" + config);
        var serving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => Hear(line.Data, serving);
        process.Exited += (_, _) => serving.TrySetException(new InvalidOperationException("containerd ended: " + string.Join('\n', Log())));
        process.Start();
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        await serving.Task.WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
    }

    /// <summary>Takes containerd away as kill -9 does; its shims stay.</summary>
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

    /// <summary>What containerd said; for messages of failed tests.</summary>
    public IReadOnlyList<string> Log()
    {
        lock (_log)
        {
            return [.. _log];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await Channel.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private void Hear(string? line, TaskCompletionSource serving)
    {
        if (line is null)
        {
            return;
        }
        lock (_log)
        {
            _log.Add(line);
        }
        if (line.Contains("containerd successfully booted", StringComparison.Ordinal))
        {
            serving.TrySetResult();
        }
    }

    private string Config() => $"""
        version = 2
        root = "{_folder}/root"
        state = "{_folder}/state"
        disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp",
          "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
          "io.containerd.snapshotter.v1.zfs"]
        [grpc]
          address = "{SocketPath}"
        [ttrpc]
          address = "{SocketPath}.ttrpc"
        [metrics]
          address = ""
        """;
}
