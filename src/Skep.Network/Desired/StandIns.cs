using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Skep.Network.Desired;

/// <summary>
/// Addresses that stand for clients within ingress_sbox: the same one for the same client, always. They are local there, so that what
/// comes back to them has arrived without a rule or a mark for each packet, and they leave it never. Two clients of one stand-in have the
/// same backend with affinity, which does no harm; one in eight million IPv4 pairs are such.
/// </summary>
internal static class StandIns
{
    private const uint Loopback = 0x7F80_0000;
    private const int Bits = 23;

    // Knuth's multiplicative hashing: 2^32 and 2^64 divided by the golden ratio.
    private const uint Golden = 2654435769;
    private const ulong LongGolden = 11400714819323198485;

    // Unique local (RFC 4193), and of no network: nothing of it is ever on a wire.
    private static readonly IPNetwork s_four = IPNetwork.Parse("127.128.0.0/9");
    private static readonly IPNetwork s_six = IPNetwork.Parse("fd73:6b65:7072:6f78::/64");

    /// <summary>All of a family.</summary>
    public static IPNetwork Of(AddressFamily family) => family == AddressFamily.InterNetwork ? s_four : s_six;

    /// <summary>A client's.</summary>
    public static IPAddress For(IPAddress client)
    {
        Span<byte> bytes = stackalloc byte[16];
        client.TryWriteBytes(bytes, out var length);
        if (length == 4)
        {
            var number = Loopback | ((BinaryPrimitives.ReadUInt32BigEndian(bytes) * Golden) >> (32 - Bits));
            BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
            return new IPAddress(bytes[..4]);
        }

        var (high, low) = (BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        s_six.BaseAddress.TryWriteBytes(bytes, out _);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], ((high * LongGolden) ^ low) * LongGolden);
        return new IPAddress(bytes);
    }
}
