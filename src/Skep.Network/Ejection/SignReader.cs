using System.Buffers.Binary;
using System.Net;

namespace Skep.Network.Ejection;

/// <summary>
/// Reads a backend's sign from a packet that the rules told of: SYN|ACK answers; RST|ACK with sequence number 0 refuses a SYN
/// (RFC 9293, 3.10.7.1); ICMP "port unreachable" refuses a datagram (RFC 792, RFC 4443).
/// </summary>
internal static class SignReader
{
    private const byte Icmp = 1;
    private const byte IcmpV6 = 58;
    private const byte Syn = 0x02;
    private const byte Rst = 0x04;
    private const byte Ack = 0x10;

    /// <summary>Null when the packet is no sign.</summary>
    public static Sign? Read(ReadOnlySpan<byte> packet)
    {
        if (Header(packet) is not { } ip)
        {
            return null;
        }

        var payload = packet[ip.Length..];
        return ip.Protocol switch
        {
            BackendPort.Tcp => OfTcp(payload, ip.Source),
            // Destination unreachable, port unreachable: type 3 code 3, in IPv6 type 1 code 4.
            Icmp when payload.Length >= 8 && payload[0] == 3 && payload[1] == 3 => OfQuote(payload[8..]),
            IcmpV6 when payload.Length >= 8 && payload[0] == 1 && payload[1] == 4 => OfQuote(payload[8..]),
            _ => null,
        };
    }

    private static Sign? OfTcp(ReadOnlySpan<byte> tcp, IPAddress source)
    {
        if (tcp.Length < 14)
        {
            return null;
        }

        var port = new BackendPort(source, BackendPort.Tcp, BinaryPrimitives.ReadUInt16BigEndian(tcp));
        return (tcp[13] & (Syn | Rst | Ack)) switch
        {
            Syn | Ack => new Sign(port, Answers: true),
            Rst | Ack when BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]) == 0 => new Sign(port, Answers: false),
            _ => null,
        };
    }

    // The datagram that was refused is quoted as the backend got it: its destination is the backend's own port.
    private static Sign? OfQuote(ReadOnlySpan<byte> quote) =>
        Header(quote) is { Protocol: BackendPort.Udp } ip && quote.Length >= ip.Length + 4
            ? new Sign(new BackendPort(ip.Destination, BackendPort.Udp, BinaryPrimitives.ReadUInt16BigEndian(quote[(ip.Length + 2)..])), Answers: false)
            : null;

    private static (int Length, byte Protocol, IPAddress Source, IPAddress Destination)? Header(ReadOnlySpan<byte> packet)
    {
        const int four = 20;
        const int six = 40;
        return packet switch
        {
            [var first, ..] when first >> 4 == 4 && packet.Length >= four && (first & 15) * 4 is >= four and var length && packet.Length >= length =>
                (length, packet[9], new IPAddress(packet[12..16]), new IPAddress(packet[16..20])),
            [var first, ..] when first >> 4 == 6 && packet.Length >= six =>
                (six, packet[6], new IPAddress(packet[8..24]), new IPAddress(packet[24..40])),
            _ => null,
        };
    }
}
