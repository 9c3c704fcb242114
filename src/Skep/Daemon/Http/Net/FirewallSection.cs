using Skep.EngineApi.Net;
using Skep.Network.Desired;

namespace Skep.Daemon.Http.Net;

/// <summary>What other firewalls cut off, with a command that lets it through.</summary>
internal static class FirewallSection
{
    /// <summary>Null when nothing is cut off.</summary>
    public static NetStatusSection? Of(IReadOnlyList<BlockedPath> blocked) => blocked.Count == 0 ? null : new(
        "firewalls",
        "What other firewalls cut off",
        ["TABLE", "CHAIN", "WHAT", "REMEDY"],
        [.. blocked.Select(b => (IReadOnlyList<string>)[b.Table, b.Chain, b.What, b.Remedy])]);
}
