using System.Globalization;
using Skep.EngineApi.Net;
using Skep.Network.Ejection;
using Skep.Network.Sockets;

namespace Skep.Daemon.Http.Net;

/// <summary>This node as a whole: what its kernel holds, how often it was put right, and who balances.</summary>
internal static class NodeSection
{
    public static NetStatusSection Of(ulong revision, long repairs, EjectionCounts ejections, SocketBalancing? sockets) => new(
        "node",
        "This node (counts since its daemon's start)",
        ["REVISION", "REPAIRS", "EJECTIONS", "RETURNS", "SOCKET BALANCING"],
        [
            [
                revision.ToString(CultureInfo.InvariantCulture), repairs.ToString(CultureInfo.InvariantCulture),
                ejections.Ejections.ToString(CultureInfo.InvariantCulture), ejections.Returns.ToString(CultureInfo.InvariantCulture),
                sockets switch { null => "not yet known", { On: true } => $"on: {sockets.Reason}", _ => $"off: {sockets.Reason}" },
            ],
        ]);
}
