using System.Net;
using Skep.Network.Probes;

namespace Skep.UnitTests.Network.Probes;

public sealed class PeerFindingTests
{
    private static readonly PeerSigns s_right = new() { Tunnel = true, Underlay = true, Heard = true, Summed = true };

    [Fact]
    public void A_way_that_carries_everything_has_no_finding() => Assert.Null(Of(s_right));

    [Fact]
    public void A_peer_that_is_gone_or_without_its_daemon_is_not_for_this_to_tell()
    {
        Assert.Null(Of(new PeerSigns { Tunnel = false, Underlay = false }));
        Assert.Null(Of(s_right with { Summed = null }));
    }

    [Fact]
    public void Each_fault_is_told_with_its_remedy()
    {
        Assert.Equal(
            "no VXLAN frames over UDP 4789 from node3 (192.0.2.3), which answers otherwise: open UDP 4789 between the nodes",
            Of(s_right with { Tunnel = false, Heard = false }));
        Assert.Equal(
            "VXLAN frames over UDP 4789 do not reach node3 (192.0.2.3), though its own arrive here: open UDP 4789 on node3",
            Of(s_right with { Tunnel = false }));
        Assert.Equal(
            "checksums are wrong in VXLAN frames to node3 (192.0.2.3): switch checksum offload off here, ethtool -K ens3 tx-checksum-ip-generic off",
            Of(s_right with { Summed = false }));
        Assert.Equal(
            "VXLAN frames of 1450 bytes are lost on the way to node3 (192.0.2.3), small ones are not: the underlay's MTU is smaller than its links say",
            Of(s_right with { Full = false }));
    }

    private static string? Of(PeerSigns signs) => PeerFinding.Of(signs, "node3", IPAddress.Parse("192.0.2.3"), 4789, 1450, "ens3");
}
