using System.Diagnostics;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Skep.Agent.Images;
using Skep.Agent.Runtime;
using Skep.Agent.Volumes;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.KernelTests.Agent.Runtime;

/// <summary>A containerd of the tests' own, with one image of nothing but busybox.</summary>
public sealed class ContainerdFixture : IAsyncLifetime
{
    public const string ImageName = "busybox:test";
    private Process? _containerd;

    public string Folder { get; } = Directory.CreateTempSubdirectory("skep-rt-").FullName;
    public RuntimeOptions Options { get; private set; } = new();
    public FakeImages Images { get; } = new();
    public VolumeStore Volumes { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Options = new RuntimeOptions
        {
            DataRoot = Path.Combine(Folder, "data"),
            RunRoot = Path.Combine(Folder, "run"),
            ContainerdSocket = Path.Combine(Folder, "c.sock"),
            CgroupParent = "/" + Path.GetFileName(Folder),
        };
        Volumes = new VolumeStore(Options.DataRoot, TimeProvider.System);
        new ContainerdConfig { Root = Path.Combine(Folder, "root"), State = Path.Combine(Folder, "state"), Socket = Options.ContainerdSocket }.Write(ConfigPath);
        StartContainerd();
        await MakeImageAsync();
    }

    public async Task<ContainerdRuntime> OpenAsync() =>
        await ContainerdRuntime.OpenAsync(Options, Images, Volumes, TimeProvider.System, new TestLogger<ContainerdRuntime>(Path.Combine(Folder, "daemon.log")), new CancellationTokenSource(TimeSpan.FromSeconds(15)).Token);

    public void StartContainerd()
    {
        var start = new ProcessStartInfo("/usr/bin/containerd") { RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("--config");
        start.ArgumentList.Add(ConfigPath);
        _containerd = Process.Start(start)!;
        _containerd.ErrorDataReceived += (_, line) => File.AppendAllText(Path.Combine(Folder, "containerd.log"), line.Data + "\n");
        _containerd.BeginErrorReadLine();
        _containerd.BeginOutputReadLine();
    }

    public async Task KillContainerdAsync()
    {
        _containerd!.Kill();
        await _containerd.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_containerd is { HasExited: false })
        {
            await using (var runtime = await OpenAsync())
            {
                foreach (var container in runtime.Containers)
                {
                    await runtime.RemoveAsync(container.Id, force: true, CancellationToken.None);
                }
            }

            await KillContainerdAsync();
        }

        foreach (var mount in File.ReadLines("/proc/self/mounts").Select(l => l.Split(' ')[1]).Where(m => m.StartsWith(Folder, StringComparison.Ordinal)).Reverse().ToList())
        {
            using var umount = Process.Start("umount", ["-l", mount]);
            await umount.WaitForExitAsync();
        }

        foreach (var controller in Directory.EnumerateDirectories("/sys/fs/cgroup"))
        {
            var ours = controller + Options.CgroupParent;
            if (Directory.Exists(ours))
            {
                Directory.Delete(ours);
            }
        }

        Directory.Delete(Folder, recursive: true);
    }

    private string ConfigPath => Path.Combine(Folder, "config.toml");

    private async Task MakeImageAsync()
    {
        await using var channel = RpcChannel.OverUnixSocket(Options.ContainerdSocket).WithHeader("containerd-namespace", Options.Namespace);
        const string Service = "containerd.services.snapshots.v1.Snapshots";
        var prepare = new PrepareSnapshotRequest { Snapshotter = "overlayfs", Key = "making" };
        prepare.Labels["containerd.io/gc.root"] = "1";
        var mounts = await UntilThereAsync(() => channel.UnaryAsync(
            new RpcMethod<PrepareSnapshotRequest, PrepareSnapshotResponse>(Service, "Prepare"), prepare, CancellationToken.None));
        var root = mounts.Mounts[0].Source;
        foreach (var folder in new[] { "bin", "etc", "data", "tmp", "proc", "sys", "dev" })
        {
            Directory.CreateDirectory(Path.Combine(root, folder));
        }

        File.Copy("/bin/busybox", Path.Combine(root, "bin/busybox"));
        foreach (var applet in new[] { "sh", "cat", "sleep", "echo", "id", "true", "false", "kill", "ls", "mkdir", "hostname", "grep", "unshare", "stat", "head", "yes", "nc", "tr" })
        {
            File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
        }

        await File.WriteAllTextAsync(Path.Combine(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nbee:x:1000:1001::/:/bin/sh\n");
        await File.WriteAllTextAsync(Path.Combine(root, "etc/group"), "root:x:0:\nbee:x:1001:\nextra:x:1002:bee\n");
        await File.WriteAllTextAsync(Path.Combine(root, "data/seed"), "from the image\n");
        var commit = new CommitSnapshotRequest { Snapshotter = "overlayfs", Name = FakeImages.ChainId, Key = "making" };
        commit.Labels["containerd.io/gc.root"] = "1";
        await channel.UnaryAsync(new RpcMethod<CommitSnapshotRequest, Empty>(Service, "Commit"), commit, CancellationToken.None);
    }

    private static async Task<T> UntilThereAsync<T>(Func<Task<T>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (RpcException error) when (error.Code == RpcStatusCode.Unavailable && attempt < 200)
            {
                await Task.Delay(50);
            }
        }
    }
}

/// <summary>Knows one image; its configuration can be chosen by the test.</summary>
public sealed class FakeImages : IImageStore
{
    public const string ChainId = "sha256:skep-test-layer";

    public string Config { get; set; } = """{"config":{"Cmd":["sh"]}}""";

    public Task<LocalImage?> FindAsync(string reference, CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(Config);
        return Task.FromResult(reference == ContainerdFixture.ImageName
            ? new LocalImage("sha256:feed", "sha256:beef", ChainId, document.RootElement.Clone())
            : null);
    }

    public Task<IReadOnlyList<LocalImage>> ListAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<LocalImage> PullAsync(string reference, RegistryCredentials? credentials, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<IReadOnlyList<string>> LoadAsync(Stream archive, IProgress<ImageProgress>? progress, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<LocalImage> ImportAsync(Stream rootFileSystem, string? reference, IReadOnlyList<string> changes, string? message, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task SaveAsync(IReadOnlyList<string> references, Stream destination, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task TagAsync(string source, string target, CancellationToken cancellationToken) => throw new NotSupportedException();
    public Task<IReadOnlyList<ImageRemoval>> RemoveAsync(string reference, bool force, IReadOnlySet<string> inUse, CancellationToken cancellationToken) => throw new NotSupportedException();
}

/// <summary>Keeps the journal in a file beside the test's data.</summary>
internal sealed class TestLogger<T>(string path) : ILogger<T>
{
    private static readonly Lock s_gate = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (s_gate)
        {
            File.AppendAllText(path, $"{TimeProvider.System.GetUtcNow():O} {logLevel} {formatter(state, exception)}\n");
        }
    }
}
