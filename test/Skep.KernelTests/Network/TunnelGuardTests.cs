using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Conntrack;
using Skep.Kernel.Namespaces;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>Who may send into our networks' tunnels: the peers of the swarm, and nobody else who reaches the port.</summary>
public sealed class TunnelGuardTests
{
    private const int Inside = 3001;
    private const int Outside = 4789;

    [Fact]
    public async Task Only_peers_may_send_into_our_networks()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var task = NamespaceFixture.OpenSocket(nodes.Web1, SocketType.Dgram, ProtocolType.Udp);
        task.Bind(new IPEndPoint(IPAddress.Any, Inside));

        // A user's own rule leads another port there.
        await NamespaceFixture.RunAsync(nodes.First.Host, "nft", "add table ip user; add chain ip user c { type nat hook prerouting priority dstnat; }");
        await NamespaceFixture.RunAsync(nodes.First.Host, "nft", "add rule ip user c udp dport 4999 dnat to 198.18.5.1:4789");

        // The wire keeps their order: whatever the stranger gets in is there before what the peer sends.
        Send(nodes.Client, TwoNodes.Demo.Vni, "a stranger");
        Send(nodes.Client, TwoNodes.Demo.Vni, "a stranger to all", "198.18.5.255");
        Send(nodes.Client, TwoNodes.Demo.Vni, "a stranger to a group", "224.0.0.1");
        Send(nodes.Client, TwoNodes.Demo.Vni, "a stranger by another port", port: 4999);
        Send(nodes.Client, 9999, "nobody's network");
        Send(nodes.Second.Host, TwoNodes.Demo.Vni, "a peer");
        Assert.Equal("a peer", await ReceiveAsync(task, nodes.Limit));

        using var table = ConntrackTable.Open(nodes.First.Host);
        // Each flow in a tunnel has an outer one of its own, which is not tracked; others' tunnels on that port are none of our business.
        var tracked = table.Entries().Where(f => f.Original.DestinationPort == Outside).Select(f => f.Original.Source.ToString());
        Assert.Equal(["198.18.5.9"], tracked);
    }

    private static async Task<string> ReceiveAsync(Socket task, CancellationToken cancellationToken)
    {
        var bytes = new byte[100];
        return Encoding.ASCII.GetString(bytes.AsSpan(0, await task.ReceiveAsync(bytes, cancellationToken)));
    }

    // A frame of web2 to web1 as a node puts it into the tunnel (RFC 7348, 5).
    private static void Send(NetworkNamespace from, uint vni, string text, string to = "198.18.5.1", int port = Outside)
    {
        var datagram = new byte[8 + 14 + 20 + 8 + text.Length];
        datagram[0] = 0x08;
        BinaryPrimitives.WriteUInt32BigEndian(datagram.AsSpan(4), vni << 8);
        Frame(datagram.AsSpan(8), text);
        using var socket = NamespaceFixture.OpenSocket(from, SocketType.Dgram, ProtocolType.Udp);
        socket.EnableBroadcast = true;
        if (to.StartsWith("224.", StringComparison.Ordinal))
        {
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.Parse("198.18.5.9").GetAddressBytes());
        }

        socket.SendTo(datagram, new IPEndPoint(IPAddress.Parse(to), port));
    }

    private static void Frame(Span<byte> frame, string text)
    {
        byte[] ethernet = [0x02, 0x42, 10, 0, 1, 3, 0x02, 0x42, 10, 0, 1, 4, 0x08, 0x00];
        ethernet.CopyTo(frame);
        var ip = frame[ethernet.Length..];
        byte[] header = [0x45, 0, 0, (byte)ip.Length, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 1, 4, 10, 0, 1, 3];
        header.CopyTo(ip);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum(ip[..header.Length]));
        var udp = ip[header.Length..];
        BinaryPrimitives.WriteUInt16BigEndian(udp, Inside);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], Inside);
        // No checksum: IPv4 does without (RFC 768).
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        Encoding.ASCII.GetBytes(text, udp[8..]);
    }

    private static ushort Checksum(ReadOnlySpan<byte> header)
    {
        var sum = 0;
        for (var i = 0; i < header.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        }

        return (ushort)~((sum >> 16) + (sum & 0xffff));
    }
}
