using System.Diagnostics;
using System.Text;
using Skep.Daemon.Http;
using Skep.Daemon.Swarm;
using Skep.Protocol.Records;

namespace Skep.Daemon.Startup;

/// <summary>What the daemon says of itself and its machine.</summary>
internal static class MachineIdentity
{
    public static async Task<EngineIdentity> ReadAsync(DaemonOptions options, string containerdVersion, CancellationToken cancellationToken) => new()
    {
        ContainerdVersion = containerdVersion,
        RuncVersion = await RuncVersionAsync(cancellationToken),
        Id = IdOf(Path.Combine(options.DataRoot, "engine-id")),
        Hostname = options.Hostname ?? NodeDescriber.HostName(),
        DataRoot = options.DataRoot,
        SecurityOptions = ["name=seccomp,profile=builtin"],
        Labels = options.Labels,
        InsecureRegistries = options.InsecureRegistries,
    };

    /// <summary>What runc says of itself, asked once; empty when it cannot be run, which the first container tells better.</summary>
    private static async Task<string> RuncVersionAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var runc = Process.Start(new ProcessStartInfo("runc", "--version") { RedirectStandardOutput = true })!;
            var first = await runc.StandardOutput.ReadLineAsync(cancellationToken);
            await runc.WaitForExitAsync(cancellationToken);
            return first?.Split(' ')[^1] ?? "";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "";
        }
    }

    /// <summary>Made at the first start and kept.</summary>
    private static string IdOf(string path)
    {
        if (RecordFile.Read(path) is { Length: > 0 } bytes)
        {
            return Encoding.ASCII.GetString(bytes).Trim();
        }

        var id = Guid.NewGuid().ToString();
        RecordFile.Write(path, Encoding.ASCII.GetBytes(id + "\n"));
        return id;
    }
}
