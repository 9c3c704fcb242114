using Skep.Commands.Net;
using Skep.Daemon.Http.Net;
using Skep.EngineApi.Net;
using Skep.Network;
using Skep.Network.Desired;
using Skep.Network.Ejection;
using Skep.Network.Probes;
using Skep.Network.Sockets;

namespace Skep.UnitTests.Commands;

public sealed class NetStatusTests
{
    [Fact]
    public void Every_peer_of_an_encrypted_network_has_a_line()
    {
        var now = new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
        var section = EncryptionSection.Of(
            [
                new EncryptedNetwork("id1", "secret", now.AddMinutes(-95), 2)
                {
                    Peers = [new EncryptedPeer("node2", "192.0.2.2", "0x9a000001") { SentBytes = 1200, ReceivedBytes = 800, Refused = 3 }],
                },
                new EncryptedNetwork("id2", "lonely", null, 0),
            ],
            now);

        Assert.Equal(
            """
            Encrypted networks (bytes are those of all of them between the two nodes)
            NETWORK   PEER    ADDRESS     KEY AGE   KEYS   SPI          SENT   RECEIVED   REFUSED
            secret    node2   192.0.2.2   1h35m     2      0x9a000001   1200   800        3
            lonely    -       -           -         0      -            0      0          0

            """,
            NetStatusCommand.Render(new NetStatus([section!])));
        Assert.Null(EncryptionSection.Of([], now));
        Assert.Equal("nothing to tell: this node is not part of a swarm\n", NetStatusCommand.Render(new NetStatus([])));
    }

    [Fact]
    public void The_node_its_ways_and_what_it_leaves_out_have_a_table_each()
    {
        var since = new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
        NetStatusSection?[] sections =
        [
            NodeSection.Of(412, 3, new EjectionCounts(2, 1), new SocketBalancing(false, "it is set so")),
            PathSection.Of(
            [
                new PeerPath("id2", "node2", true, 1500, null), new PeerPath("id3", "node3", false, null, "open UDP 4789 between the nodes"),
                new PeerPath("id4", "node4", null, null, null),
            ]),
            FirewallSection.Of([new BlockedPath("ip filter", "FORWARD", PathKind.WayOut)]),
            EjectedSection.Of([new EjectedBackend("shop", "web", "task1", "10.0.1.7:80/tcp", "it refuses", since, since.AddSeconds(2)), new EjectedBackend("shop", "web", "task2", "10.0.1.8", "its node is silent", since, null)]),
        ];

        Assert.Equal(
            """
            This node (counts since its daemon's start)
            REVISION   REPAIRS   EJECTIONS   RETURNS   SOCKET BALANCING
            412        3         2           1         off: it is set so

            Ways to the other nodes
            NODE    ANSWERS   MTU    FINDING
            node2   yes       1500   -
            node3   no        -      open UDP 4789 between the nodes
            node4   -         -      -

            What other firewalls cut off
            TABLE       CHAIN     WHAT                                  REMEDY
            ip filter   FORWARD   containers do not reach the outside   iptables -I FORWARD -i docker_gwbridge -j ACCEPT

            Backends that this node sends nothing new to
            NETWORK   SERVICE   TASK    BACKEND           SINCE                  NEXT TRIAL             REASON
            shop      web       task1   10.0.1.7:80/tcp   2030-01-01T12:00:00Z   2030-01-01T12:00:02Z   it refuses
            shop      web       task2   10.0.1.8          2030-01-01T12:00:00Z   -                      its node is silent

            """,
            NetStatusCommand.Render(new NetStatus([.. sections.OfType<NetStatusSection>()])));
        Assert.Null(PathSection.Of([]));
        Assert.Null(EjectedSection.Of([]));
        Assert.Null(FirewallSection.Of([]));
        Assert.Equal("not yet known", NodeSection.Of(0, 0, default, null).Rows[0][^1]);
    }

    [Fact]
    public void Repairs_are_counted_over_all_namespaces_and_the_newest_ten_are_shown_newest_first()
    {
        var at = new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
        var counts = RepairSections.Counts(
        [
            new RepairCount("1-abc", RepairKind.Link, RepairCause.Missing, 1), new RepairCount("host", RepairKind.Table, RepairCause.NotOurs, 4),
            new RepairCount("host", RepairKind.Link, RepairCause.Missing, 2),
        ]);
        var last = RepairSections.Last([.. Enumerable.Range(1, 12).Select(i => new Repair(at.AddSeconds(i), "host", RepairKind.Table, RepairCause.Missing, $"table {i}\nwas missing"))]);

        Assert.Equal(
            """
            Repairs of what others changed
            KIND    CAUSE      COUNT
            link    missing    3
            table   not ours   4

            """,
            NetStatusCommand.Render(new NetStatus([counts!])));
        Assert.Equal(10, last!.Rows.Count);
        Assert.Equal(["2030-01-01T12:00:12Z", "host", "table", "missing", "table 12 was missing"], last.Rows[0]);
        Assert.Equal("2030-01-01T12:00:03Z", last.Rows[^1][0]);
        Assert.Null(RepairSections.Counts([]));
        Assert.Null(RepairSections.Last([]));
    }
}
