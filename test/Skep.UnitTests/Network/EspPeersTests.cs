using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.UnitTests.Network;

public sealed class EspPeersTests
{
    private static readonly PlanKey s_old = new("old", [.. Enumerable.Repeat((byte)7, 32)], DateTimeOffset.UnixEpoch);
    private static readonly PlanKey s_new = new("new", [.. Enumerable.Repeat((byte)9, 32)], DateTimeOffset.UnixEpoch);

    [Fact]
    public void Two_nodes_derive_the_same_states_and_each_direction_its_own_key()
    {
        var here = Peer("node1", "node2", new PlanKeyring([s_old, s_new], "old"));
        var there = Peer("node2", "node1", new PlanKeyring([s_old, s_new], "old"));

        Assert.Equal(here.States.ToHashSet(), there.States.ToHashSet());
        Assert.Equal(4, here.States.Select(s => s.Spi).Distinct().Count());
        Assert.Equal(4, here.States.Select(s => Convert.ToHexString(s.Secret.Bytes)).Distinct().Count());
        Assert.All(here.States, s => Assert.True(s.Spi >= 0x8000_0000));
    }

    [Fact]
    public void The_sending_key_chooses_the_state_that_is_sent_with()
    {
        var before = Peer("node1", "node2", new PlanKeyring([s_old, s_new], "old"));
        var after = Peer("node1", "node2", new PlanKeyring([s_old, s_new], "new"));

        Assert.Equal(before.States, after.States);
        Assert.NotEqual(before.SendingSpi, after.SendingSpi);
        Assert.All([before, after], p => Assert.Equal("192.0.2.1", p.States.Single(s => s.Spi == p.SendingSpi).Source.ToString()));
    }

    [Fact]
    public void A_sender_that_lost_its_states_sends_with_other_keys()
    {
        var ring = new PlanKeyring([s_old], "old");

        Assert.Empty(Peer("node1", "node2", ring).States.Where(s => s.Source.ToString() == "192.0.2.1")
            .Intersect(Peer("node1", "node2", ring, generation: "later").States));
    }

    [Fact]
    public void A_peer_that_cannot_encrypt_and_a_node_without_keys_get_nothing()
    {
        var node = Node("node1", new PlanKeyring([s_old], "old"), "first");

        Assert.Null(EspPeers.Of(node, PeerOf("node2") with { CipherGeneration = null }));
        Assert.Null(EspPeers.Of(node, PeerOf("node1")));
        Assert.Null(EspPeers.Of(Node("node1", null, "first"), PeerOf("node2")));
        Assert.Null(EspPeers.Of(Node("node1", new PlanKeyring([s_old], "old"), ""), PeerOf("node2")));
    }

    [Fact]
    public void An_encrypted_network_has_its_own_port_less_room_and_the_host_refuses_clear_text()
    {
        var encrypted = PlanExample.Demo with { Encrypted = true };
        var view = PlanExample.Node(PlanExample.DemoPlan() with { Network = encrypted }, encrypted);
        var wanted = DesiredState.Compute(view).Spaces;

        Assert.Contains("link vxlan0 vxlan 4097 port 4790 local 192.0.2.1 encrypted mtu 1416", wanted.Single(s => s.Name == "2-demo00id").ToString(), StringComparison.Ordinal);
        var host = wanted[0].ToString();
        Assert.Contains("esp udp 4790 keys as they are", host, StringComparison.Ordinal);
        Assert.Contains("udp dport 4790 meta ipsec missing drop", host, StringComparison.Ordinal);
        Assert.Contains("udp dport 4790 rt ipsec missing drop", host, StringComparison.Ordinal);
        Assert.DoesNotContain("ipsec", DesiredState.Compute(PlanExample.Node()).Spaces[0].ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1450, 1416)]
    [InlineData(1449, 1412)]
    [InlineData(8950, 8916)]
    public void The_largest_packet_fills_the_underlay_and_no_more(int clear, int inside)
    {
        Assert.Equal(inside, EspRoom.Within(clear));

        // Ethernet, VXLAN and UDP around it, padded with its trailer; then SPI, sequence, IV, check value and the outer header.
        static int Outside(int inner) => ((inner + 14 + 8 + 8 + 2 + 3) & ~3) + 8 + 8 + 16 + 20;
        Assert.InRange(Outside(inside), 0, clear + 50);
        Assert.True(Outside(inside + 4) > clear + 50);
    }

    [Fact]
    public void No_text_has_a_key()
    {
        var ring = new PlanKeyring([s_old], "old");
        var text = $"{ring} {ring.Keys[0]} {Peer("node1", "node2", ring)} {string.Join(' ', Peer("node1", "node2", ring).States)}";

        Assert.DoesNotContain("Secret = S", text, StringComparison.Ordinal);
        Assert.Contains("Secret = (key)", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Byte[]", text, StringComparison.Ordinal);
    }

    private static WantedEspPeer Peer(string node, string peer, PlanKeyring ring, string generation = "first") =>
        EspPeers.Of(Node(node, ring, generation), PeerOf(peer))!;

    private static NodeView Node(string id, PlanKeyring? ring, string generation) =>
        new(new NodePlan { NodeId = id, Keyring = ring }, new NodeFacts(Addressing.AddressOf(PeerOf(id).Vtep), System.Net.IPNetwork.Parse("172.18.0.0/16"))
        {
            CipherGeneration = generation,
        });

    private static PlanPeer PeerOf(string id) => new("net", id, $"192.0.2.{id[^1]}") { CipherGeneration = "first" };
}
