using System.Net.Sockets;

namespace Skep.Network.Desired;

/// <summary>The packet rules of ingress_sbox: it forwards nothing, and tells who answers and who refuses what the relay asks.</summary>
internal static class IngressTable
{
    /// <summary>What is there whatever is published, a table for each family.</summary>
    public static IEnumerable<WantedTable> Of(NetworkView ingress) => ingress.MeshFamilies.Select(Of);

    private static WantedTable Of(AddressFamily family) => new(family == AddressFamily.InterNetwork ? "ip" : "ip6", WantedTable.Ours)
    {
        Sets = [RefusalRules.Answering(family), .. MemberRules.OfPorts(family)],
        Chains =
        [
            RefusalRules.Signs(family, "eth0"),
            MemberRules.Ports(family, "eth0"),
            // A namespace tracks and translates only while some rule asks for it: the flows of a relay's table that is gone live by this one.
            new("translations", "type nat hook prerouting priority dstnat; policy accept;", ["ct status dnat accept"]),
            new("forward", "type filter hook forward priority filter; policy accept;", ["drop"]),
        ],
    };
}
