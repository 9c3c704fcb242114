using System.Buffers.Binary;
using System.Net.Sockets;

namespace Skep.Network.Probes;

/// <summary>ICMP's echo (RFC 792) and ICMPv6's (RFC 4443), as raw sockets send and receive them.</summary>
internal static class EchoPacket
{
    /// <summary>ICMP's header with identifier and sequence number.</summary>
    public const int HeaderSize = 8;

    /// <summary>The echo request's bytes; <paramref name="length"/> with the ICMP header, without the IP header.</summary>
    public static byte[] Request(AddressFamily family, ushort identifier, ushort sequence, int length)
    {
        var packet = new byte[Math.Max(length, HeaderSize)];
        packet[0] = family == AddressFamily.InterNetwork ? (byte)8 : (byte)128;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), identifier);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), sequence);
        if (family == AddressFamily.InterNetwork)
        {
            // ICMPv6's checksum covers addresses; there the kernel fills it in.
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), Checksum(packet));
        }

        return packet;
    }

    /// <summary>Null when the packet is no echo. A raw IPv4 socket gives the IP header as well, an IPv6 one does not.</summary>
    public static Echo? Parse(AddressFamily family, ReadOnlySpan<byte> packet)
    {
        if (family == AddressFamily.InterNetwork)
        {
            if (packet.Length < 20 || packet.Length < (packet[0] & 15) * 4)
            {
                return null;
            }

            packet = packet[((packet[0] & 15) * 4)..];
        }

        if (packet.Length < HeaderSize)
        {
            return null;
        }

        bool? answer = (family, packet[0]) switch
        {
            (AddressFamily.InterNetwork, 0) or (AddressFamily.InterNetworkV6, 129) => true,
            (AddressFamily.InterNetwork, 8) or (AddressFamily.InterNetworkV6, 128) => false,
            _ => null,
        };
        return answer is { } known
            ? new Echo(known, BinaryPrimitives.ReadUInt16BigEndian(packet[4..]), BinaryPrimitives.ReadUInt16BigEndian(packet[6..]))
            : null;
    }

    /// <summary>RFC 1071: the complement of the sum in ones' complement.</summary>
    private static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (var i = 0; i < bytes.Length; i += 2)
        {
            sum += (uint)((bytes[i] << 8) | (i + 1 < bytes.Length ? bytes[i + 1] : 0));
        }

        while (sum >> 16 != 0)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)~sum;
    }

    /// <summary>An echo request or its answer.</summary>
    public readonly record struct Echo(bool Answer, ushort Identifier, ushort Sequence);
}
