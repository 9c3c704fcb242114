using System.Globalization;
using System.Net;
using Skep.Kernel.Xfrm;
using Skep.Network.Desired;

namespace Skep.Network;

/// <summary>An encrypted network of this node as the kernel carries it. Keys themselves are nowhere in it.</summary>
/// <param name="KeyMadeAt">Of the key that is sent with; null while this daemon has not been told the keys.</param>
/// <param name="Keys">More than one while they change; 0 while not told.</param>
public sealed record EncryptedNetwork(string Id, string Name, DateTimeOffset? KeyMadeAt, int Keys)
{
    public IReadOnlyList<EncryptedPeer> Peers { get; init; } = [];

    /// <summary>From plan and kernel; the kernel's states are of pairs of nodes, so bytes are those of all encrypted networks between the two.</summary>
    internal static IReadOnlyList<EncryptedNetwork> Of(NodeView node, Func<IReadOnlyList<XfrmState>> kernel)
    {
        var carried = DesiredState.Carried(node).Where(n => n.Encrypted).ToList();
        if (carried.Count == 0)
        {
            return [];
        }

        var states = kernel().Where(s => s.RequestId == WantedEsp.RequestId).ToLookup(s => (s.Source, s.Destination));
        var ring = node.Plan.Keyring;
        return
        [
            .. carried.Select(network => new EncryptedNetwork(network.Id, network.Name, ring?.Keys.FirstOrDefault(k => k.Id == ring.Sending)?.MadeAt, ring?.Keys.Count ?? 0)
            {
                Peers =
                [
                    .. new NetworkView(node, network).Plan.Peers.Values.Where(p => p.NodeId != node.Plan.NodeId).OrderBy(p => p.NodeId, StringComparer.Ordinal).Select(peer =>
                    {
                        var address = Addressing.AddressOf(peer.Vtep);
                        return Peer(node, peer.Hostname.Length > 0 ? peer.Hostname : peer.NodeId, address, [.. states[(node.Facts.Vtep, address)]], [.. states[(address, node.Facts.Vtep)]], EspPeers.Of(node, peer)?.SendingSpi);
                    }),
                ],
            }),
        ];
    }

    // Without the keys the newest state that carried something is the one that is sent with.
    private static EncryptedPeer Peer(NodeView node, string name, IPAddress address, XfrmState[] sent, XfrmState[] received, uint? spi)
    {
        var sending = spi is { } known ? sent.FirstOrDefault(s => s.Spi == known) : sent.MaxBy(s => s.Counters.UsedAt);
        return new EncryptedPeer(name, address.ToString(), sending is null ? "-" : string.Create(CultureInfo.InvariantCulture, $"0x{sending.Spi:x8}"))
        {
            SentBytes = Sum(sent),
            ReceivedBytes = Sum(received),
            Refused = received.Sum(s => (long)s.Counters.Forgeries + s.Counters.Replays),
        };
    }

    private static ulong Sum(IEnumerable<XfrmState> states) => states.Aggregate(0UL, (sum, s) => sum + s.Counters.Bytes);
}

/// <summary>Another node of the network. Spi is that of the state to send with; - when there is none: nothing is sent to it.</summary>
public sealed record EncryptedPeer(string Node, string Address, string Spi)
{
    public ulong SentBytes { get; init; }
    public ulong ReceivedBytes { get; init; }

    /// <summary>Packets that did not open, came twice or too late.</summary>
    public long Refused { get; init; }
}
