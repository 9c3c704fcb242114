using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Namespaces;
using Skep.Testing.Kernel;

namespace Skep.ClassicTests.Encryption;

/// <summary>
/// Somebody on the wire who forges tunnel packets (RFC 7348) in clear text, with the address of node 1 as their sender: a datagram from
/// 10.0.x.99 to a task on node 2.
/// </summary>
internal static class Injector
{
    private static readonly IPAddress s_peer = IPAddress.Parse("198.18.5.1");
    private static readonly IPAddress s_victim = IPAddress.Parse("198.18.5.2");

    /// <summary>Sends the packet five times to node 2's tunnel port.</summary>
    /// <param name="from">The forger's machine.</param>
    /// <param name="port">Of the tunnel.</param>
    /// <param name="vni">Of the network.</param>
    /// <param name="task">The address of the task on node 2.</param>
    /// <param name="text">The datagram's content, for port 9100.</param>
    public static void Send(NetworkNamespace from, ushort port, uint vni, string task, string text)
    {
        // Of this protocol (255, raw(7)) the sender writes the IP header himself.
        using var socket = NamespaceFixture.OpenSocket(from, SocketType.Raw, ProtocolType.Raw);
        var packet = Datagram(s_peer, s_victim, 40_000, port, Tunnelled(vni, IPAddress.Parse(task), Encoding.ASCII.GetBytes(text)));
        for (var i = 0; i < 5; i++)
        {
            socket.SendTo(packet, new IPEndPoint(s_victim, 0));
        }
    }

    private static byte[] Tunnelled(uint vni, IPAddress task, byte[] content)
    {
        var target = task.GetAddressBytes();
        byte[] forged = [target[0], target[1], target[2], 99];
        var header = new byte[8];
        header[0] = 0x08;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), vni << 8);
        return [.. header, 0x02, 0x42, .. target, 0x02, 0x42, .. forged, 0x08, 0x00, .. Datagram(new IPAddress(forged), task, 4000, 9100, content)];
    }

    // UDP in IPv4, without the checksum that may be left out there.
    private static byte[] Datagram(IPAddress source, IPAddress target, ushort from, ushort to, byte[] content)
    {
        var packet = new byte[28 + content.Length];
        var ip = packet.AsSpan();
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)packet.Length);
        (ip[8], ip[9]) = (64, 17);
        ((byte[])[.. source.GetAddressBytes(), .. target.GetAddressBytes()]).CopyTo(ip[12..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum(ip[..20]));
        var udp = ip[20..];
        BinaryPrimitives.WriteUInt16BigEndian(udp, from);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], to);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)(8 + content.Length));
        content.CopyTo(udp[8..]);
        return packet;
    }

    private static ushort Checksum(ReadOnlySpan<byte> header)
    {
        uint sum = 0;
        for (var i = 0; i < header.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        }

        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~(sum + (sum >> 16));
    }
}
