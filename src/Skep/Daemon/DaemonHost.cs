using Skep.Model.Errors;

namespace Skep.Daemon;

/// <summary>The daemon: store, agent, network and Engine API in one process, started in stages and stopped in reverse.</summary>
public static class DaemonHost
{
    /// <summary>Runs until <paramref name="stopping"/> ends it.</summary>
    public static Task RunAsync(DaemonOptions options, CancellationToken stopping) =>
        throw new ClusterException(ErrorKind.NotImplemented, $"This build has no daemon yet, so nothing would answer at {options.Socket}.");
}
