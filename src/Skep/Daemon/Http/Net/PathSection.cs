using System.Globalization;
using Skep.EngineApi.Net;
using Skep.Network.Probes;

namespace Skep.Daemon.Http.Net;

/// <summary>The ways to the other nodes: whether they answer through the tunnel, what fits, and what is wrong.</summary>
internal static class PathSection
{
    /// <summary>Null when the node knows of no other.</summary>
    public static NetStatusSection? Of(IReadOnlyList<PeerPath> paths) => paths.Count == 0 ? null : new(
        "paths",
        "Ways to the other nodes",
        ["NODE", "ANSWERS", "MTU", "FINDING"],
        [
            .. paths.Select(p => (IReadOnlyList<string>)
            [
                p.Name, p.Answers switch { true => "yes", false => "no", null => "-" },
                p.Mtu?.ToString(CultureInfo.InvariantCulture) ?? "-", p.Finding ?? "-",
            ]),
        ]);
}
