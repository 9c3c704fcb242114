using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Skep.Network.Relays;

/// <summary>
/// The header of the PROXY protocol, version 2 (haproxy's doc/proxy-protocol.txt, section 2.2): who connected, and to what. It stands before
/// the first byte of a connection.
/// </summary>
public static class ProxyHeader
{
    /// <summary>Bytes of the longest one.</summary>
    public const int Longest = 16 + (2 * 16) + (2 * 2);

    private const byte Version2Proxy = 0x21;
    private const byte StreamOverIPv4 = 0x11;
    private const byte StreamOverIPv6 = 0x21;

    private static ReadOnlySpan<byte> Signature => [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A];

    /// <summary>Writes the header of a TCP connection.</summary>
    /// <returns>Its length.</returns>
    public static int Write(Span<byte> header, IPEndPoint client, IPEndPoint dialled)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(dialled);
        var six = client.AddressFamily == AddressFamily.InterNetworkV6 || dialled.AddressFamily == AddressFamily.InterNetworkV6;
        var bytes = six ? 16 : 4;
        Signature.CopyTo(header);
        header[12] = Version2Proxy;
        header[13] = six ? StreamOverIPv6 : StreamOverIPv4;
        BinaryPrimitives.WriteUInt16BigEndian(header[14..], (ushort)((2 * bytes) + 4));
        Address(header.Slice(16, bytes), client.Address);
        Address(header.Slice(16 + bytes, bytes), dialled.Address);
        BinaryPrimitives.WriteUInt16BigEndian(header[(16 + (2 * bytes))..], (ushort)client.Port);
        BinaryPrimitives.WriteUInt16BigEndian(header[(18 + (2 * bytes))..], (ushort)dialled.Port);
        return 20 + (2 * bytes);
    }

    private static void Address(Span<byte> place, IPAddress address) =>
        (place.Length == 16 ? address.MapToIPv6() : address).TryWriteBytes(place, out _);
}
