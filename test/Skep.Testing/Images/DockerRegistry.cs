using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Skep.Testing.Images;

/// <summary>Debian's docker-registry on loopback, with its data in a temporary folder; with an htpasswd file it asks for basic credentials.</summary>
public sealed class DockerRegistry : IAsyncDisposable
{
    private const string Program = "/usr/bin/docker-registry";
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-registry-").FullName;
    private Process? _process;

    public static bool Installed => File.Exists(Program);

    public string Host { get; private set; } = "";

    /// <param name="htpasswd">Lines of name:bcrypt; null for an open registry.</param>
    public static async Task<DockerRegistry> StartAsync(string? htpasswd, CancellationToken cancellationToken)
    {
        var registry = new DockerRegistry();
        await registry.RunAsync(htpasswd, cancellationToken);
        return registry;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private async Task RunAsync(string? htpasswd, CancellationToken cancellationToken)
    {
        Host = $"127.0.0.1:{FreePort()}";
        var auth = "";
        if (htpasswd is not null)
        {
            var file = Path.Combine(_folder, "htpasswd");
            await File.WriteAllTextAsync(file, htpasswd, cancellationToken);
            auth = $"auth: {{htpasswd: {{realm: test, path: {file}}}}}\n";
        }
        var config = Path.Combine(_folder, "config.yml");
        await File.WriteAllTextAsync(
            config, $"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {_folder}/data}}}}\nhttp: {{addr: \"{Host}\"}}\n{auth}", cancellationToken);
        var start = new ProcessStartInfo(Program) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("serve");
        start.ArgumentList.Add(config);
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        DataReceivedEventHandler hear = (_, line) =>
        {
            if (line.Data?.Contains("listening on", StringComparison.Ordinal) == true)
            {
                listening.TrySetResult();
            }
        };
        process.OutputDataReceived += hear;
        process.ErrorDataReceived += hear;
        process.Exited += (_, _) => listening.TrySetException(new InvalidOperationException("docker-registry ended before it listened"));
        process.Start();
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        await listening.Task.WaitAsync(TimeSpan.FromSeconds(20), cancellationToken);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
