using System.Globalization;
using Skep.EngineApi.Net;
using Skep.Network;

namespace Skep.Daemon.Http.Net;

/// <summary>Per encrypted network and peer: how old the key is, what it is sent with, and how much.</summary>
internal static class EncryptionSection
{
    /// <summary>Null when the node has no encrypted network.</summary>
    public static NetStatusSection? Of(IReadOnlyList<EncryptedNetwork> networks, DateTimeOffset now) => networks.Count == 0 ? null : new(
        "encryption",
        "Encrypted networks (bytes are those of all of them between the two nodes)",
        ["NETWORK", "PEER", "ADDRESS", "KEY AGE", "KEYS", "SPI", "SENT", "RECEIVED", "REFUSED"],
        [.. networks.SelectMany(network => Rows(network, now))]);

    private static IEnumerable<IReadOnlyList<string>> Rows(EncryptedNetwork network, DateTimeOffset now)
    {
        var age = network.KeyMadeAt is { } made ? Age(now - made) : "-";
        var keys = network.Keys.ToString(CultureInfo.InvariantCulture);
        return network.Peers.Count == 0
            ? [[network.Name, "-", "-", age, keys, "-", "0", "0", "0"]]
            : network.Peers.Select(peer => (IReadOnlyList<string>)
            [
                network.Name, peer.Node, peer.Address, age, keys, peer.Spi,
                peer.SentBytes.ToString(CultureInfo.InvariantCulture), peer.ReceivedBytes.ToString(CultureInfo.InvariantCulture), peer.Refused.ToString(CultureInfo.InvariantCulture),
            ]);
    }

    private static string Age(TimeSpan age) => age < TimeSpan.FromMinutes(1)
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (int)age.TotalSeconds)}s")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalHours}h{age.Minutes}m");
}
