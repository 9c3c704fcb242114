using System.Globalization;
using Skep.Agent.Runtime;
using Skep.Daemon.Supervision;

namespace Skep.Daemon.Startup;

/// <summary>The daemon's own containerd: configuration written at each start, process kept running, taken over when it is there already.</summary>
internal sealed class ContainerdProcess(DaemonOptions options, TimeProvider clock, ILoggerFactory logging)
{
    private const int ProtectedFromOom = -500;
    private const int SysResource = 24;

    /// <summary>The socket of the containerd in use: the child's, or the one that was named.</summary>
    public string Socket { get; } = options.ContainerdSocket ?? Path.Combine(options.RunRoot, "containerd", "containerd.sock");

    /// <summary>Keeps the child running until cancelled and leaves it running then; does nothing when another containerd was named.</summary>
    public Task RunAsync(CancellationToken stopping)
    {
        if (options.ContainerdSocket is not null)
        {
            return Task.CompletedTask;
        }

        var folder = Path.GetDirectoryName(Socket)!;
        var config = Path.Combine(folder, "config.toml");
        new ContainerdConfig
        {
            Root = Path.Combine(options.DataRoot, "containerd"),
            State = Path.Combine(folder, "state"),
            Socket = Socket,
            OomScore = MayProtect() ? ProtectedFromOom : 0,
        }.Write(config);
        var child = new ChildProcess(
            new ChildProcessOptions
            {
                Name = "containerd",
                FileName = options.Containerd,
                Arguments = ["--config", config],
                PidFile = Path.Combine(folder, "containerd.pid"),
                LogFile = Path.Combine(folder, "containerd.log"),
            },
            clock,
            logging.CreateLogger<ChildProcess>());
        return child.RunAsync(stopping);
    }

    /// <summary>Lowering an OOM score takes CAP_SYS_RESOURCE (capabilities(7)), which root in a container may lack.</summary>
    private static bool MayProtect()
    {
        var effective = File.ReadLines("/proc/self/status").First(l => l.StartsWith("CapEff:", StringComparison.Ordinal))["CapEff:".Length..];
        return (ulong.Parse(effective.Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> SysResource & 1) == 1;
    }
}
