using System.Globalization;
using System.Net;

namespace Skep.Network.Probes;

/// <summary>What is wrong with the way to a peer, and what to do about it; one sentence for log, status and <c>docker node inspect</c>.</summary>
internal static class PeerFinding
{
    /// <summary>Null when nothing is wrong, or the whole node is gone, which others tell.</summary>
    /// <param name="signs">What was seen.</param>
    /// <param name="peer">The peer's name.</param>
    /// <param name="vtep">The peer's data path address.</param>
    /// <param name="port">The data path port.</param>
    /// <param name="mtu">The overlay's MTU in bytes.</param>
    /// <param name="card">The link of this node that has its own data path address.</param>
    public static string? Of(PeerSigns signs, string peer, IPAddress vtep, ushort port, int mtu, string card) => signs switch
    {
        { Tunnel: false, Underlay: true, Heard: false } => string.Create(
            CultureInfo.InvariantCulture, $"no VXLAN frames over UDP {port} from {peer} ({vtep}), which answers otherwise: open UDP {port} between the nodes"),
        { Tunnel: false, Underlay: true, Heard: true } => string.Create(
            CultureInfo.InvariantCulture, $"VXLAN frames over UDP {port} do not reach {peer} ({vtep}), though its own arrive here: open UDP {port} on {peer}"),
        { Tunnel: true, Summed: false } => string.Create(
            CultureInfo.InvariantCulture, $"checksums are wrong in VXLAN frames to {peer} ({vtep}): switch checksum offload off here, ethtool -K {card} tx-checksum-ip-generic off"),
        { Tunnel: true, Full: false } => string.Create(
            CultureInfo.InvariantCulture, $"VXLAN frames of {mtu} bytes are lost on the way to {peer} ({vtep}), small ones are not: the underlay's MTU is smaller than its links say"),
        _ => null,
    };
}
