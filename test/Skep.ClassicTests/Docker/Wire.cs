using System.Globalization;

namespace Skep.ClassicTests.Docker;

/// <summary>What passes node2's cable while this is open: a capture on the switch, since a node's own card may show what came out of ESP a second time.</summary>
internal sealed class Wire(LabMachine lab, string name)
{
    /// <summary>A word in requests that nothing but encryption hides.</summary>
    public const string Marker = "planted-where-all-can-see";

    public static async Task<Wire> OpenAsync(LabMachine lab, string name)
    {
        await lab.OnSwitchAsync(
            $"setsid tcpdump -Z root -U -ni node2 -w /run/{name}.pcap udp or esp >/run/{name}.log 2>&1 & echo $! >/run/{name}.pid; until grep -q listening /run/{name}.log; do sleep 0.1; done");
        return new Wire(lab, name);
    }

    /// <summary>Ends the capture and counts: ESP packets, packets to the encrypted networks' port in the clear, lines with the marker.</summary>
    public async Task<(int Sealed, int Tunnels, int Marked)> CloseAsync()
    {
        var counts = (await lab.OnSwitchAsync(
            $"kill $(cat /run/{name}.pid); while kill -0 $(cat /run/{name}.pid) 2>/dev/null; do sleep 0.1; done; "
            + $"for what in esp 'udp port 4790'; do tcpdump -nr /run/{name}.pcap $what 2>/dev/null | wc -l; done; grep -ac {Marker} /run/{name}.pcap || true")).Split('\n');
        return (Number(counts[0]), Number(counts[1]), Number(counts[2]));
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
