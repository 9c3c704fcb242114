using System.Text;
using Skep.Daemon.Http;
using Skep.Daemon.Swarm;
using Skep.Protocol.Records;

namespace Skep.Daemon.Startup;

/// <summary>What the daemon says of itself and its machine.</summary>
internal static class MachineIdentity
{
    public static EngineIdentity Read(DaemonOptions options) => new()
    {
        Id = IdOf(Path.Combine(options.DataRoot, "engine-id")),
        Hostname = options.Hostname ?? NodeDescriber.HostName(),
        DataRoot = options.DataRoot,
        SecurityOptions = ["name=seccomp,profile=builtin"],
        Labels = options.Labels,
        InsecureRegistries = options.InsecureRegistries,
    };

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
