using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Skep.Kernel.Nftables;

/// <summary>The bytes of a key or a value, compared by what they are. Parts are each padded to four bytes, as nftables keeps them.</summary>
public readonly struct NftBytes : IEquatable<NftBytes>
{
    // NFT_REG32_COUNT registers of four bytes.
    private const int LongestKey = 64;

    private readonly byte[]? _bytes;

    public NftBytes(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    public ReadOnlySpan<byte> Span => _bytes;

    public int Length => _bytes?.Length ?? 0;

    /// <summary>4 or 16 bytes.</summary>
    public static NftBytes Of(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new NftBytes(address.GetAddressBytes());
    }

    /// <summary>A number as numgen makes it: in the host's order.</summary>
    public static NftBytes Of(uint number) => new(BitConverter.GetBytes(number));

    /// <summary>An address and a port: <c>ipv4_addr . inet_service</c>.</summary>
    public static NftBytes Of(IPAddress address, ushort port)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new NftBytes([.. address.GetAddressBytes(), (byte)(port >> 8), (byte)port, 0, 0]);
    }

    /// <summary>A key of addresses, protocols and ports as nft writes it: <c>10.0.1.2</c>, <c>tcp . 8000 . 10.0.0.3 . 80</c>.</summary>
    /// <exception cref="FormatException">A part is none of these.</exception>
    public static NftBytes Parse(ReadOnlySpan<char> key)
    {
        Span<byte> bytes = stackalloc byte[LongestKey];
        bytes.Clear();
        var length = 0;
        foreach (var range in key.Split(" . "))
        {
            var part = key[range];
            var room = bytes[length..];
            if (part.ContainsAny('.', ':'))
            {
                length += IPAddress.Parse(part).TryWriteBytes(room, out var written) ? written : throw new FormatException($"{key} is longer than a key");
                continue;
            }

            if (char.IsAsciiDigit(part[0]))
            {
                BinaryPrimitives.WriteUInt16BigEndian(room, ushort.Parse(part, CultureInfo.InvariantCulture));
            }
            else
            {
                room[0] = NumberOf(part);
            }

            length += sizeof(uint);
        }

        return new NftBytes(bytes[..length]);
    }

    /// <summary>The number of a protocol that has ports.</summary>
    public static byte NumberOf(ReadOnlySpan<char> protocol) => protocol switch
    {
        "tcp" => 6,
        "udp" => 17,
        "sctp" => 132,
        _ => throw new FormatException($"{protocol} is no protocol with ports"),
    };

    public bool Equals(NftBytes other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is NftBytes other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    public override string ToString() => Convert.ToHexStringLower(Span);

    public static bool operator ==(NftBytes left, NftBytes right) => left.Equals(right);

    public static bool operator !=(NftBytes left, NftBytes right) => !left.Equals(right);
}
