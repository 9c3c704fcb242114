using System.Globalization;
using Skep.EngineApi.Net;
using Skep.Network.Relays;

namespace Skep.Daemon.Http.Net;

/// <summary>The relay that tells tasks their clients by PROXY headers.</summary>
internal static class RelaySection
{
    /// <summary>Null when no port has PROXY headers and no flow of one is left.</summary>
    public static NetStatusSection? Of(RelayStatus? relay) => relay is null or { Ports: 0, Listens: false, Flows: 0 } ? null : new(
        "relay",
        "Relay for PROXY headers",
        ["PORTS", "LISTENS", "FLOWS"],
        [[relay.Ports.ToString(CultureInfo.InvariantCulture), relay.Listens ? "yes" : "no", relay.Flows.ToString(CultureInfo.InvariantCulture)]]);
}
