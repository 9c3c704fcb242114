using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Skep.Kernel.Nftables;

/// <summary>The bytes of a key or a value, compared by what they are. Parts are each padded to four bytes, as nftables keeps them.</summary>
public readonly struct NftBytes : IEquatable<NftBytes>
{
    // NFT_REG32_COUNT registers of four bytes.
    private const int LongestKey = 64;
    private const int LongestAddress = 16;

    private readonly byte[]? _bytes;

    public NftBytes(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    public ReadOnlySpan<byte> Span => _bytes;

    public int Length => _bytes?.Length ?? 0;

    /// <summary>4 or 16 bytes.</summary>
    public static NftBytes Of(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[LongestAddress];
        address.TryWriteBytes(bytes, out var length);
        return new NftBytes(bytes[..length]);
    }

    /// <summary>A number as numgen makes it: in the host's order.</summary>
    public static NftBytes Of(uint number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BitConverter.TryWriteBytes(bytes, number);
        return new NftBytes(bytes);
    }

    /// <summary>An address and a port: <c>ipv4_addr . inet_service</c>.</summary>
    public static NftBytes Of(IPAddress address, ushort port)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[LongestAddress + sizeof(uint)];
        address.TryWriteBytes(bytes, out var length);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[length..], (uint)port << 16);
        return new NftBytes(bytes[..(length + sizeof(uint))]);
    }

    /// <summary>A key of addresses, protocols and ports as nft writes it: <c>10.0.1.2</c>, <c>tcp . 8000 . 10.0.0.3 . 80</c>.</summary>
    /// <exception cref="FormatException">A part is none of these.</exception>
    public static NftBytes Parse(ReadOnlySpan<char> key) =>
        TryParse(key, out var bytes) ? bytes : throw new FormatException($"{key} is no key of addresses, protocols and ports");

    /// <inheritdoc cref="Parse"/>
    public static bool TryParse(ReadOnlySpan<char> key, out NftBytes bytes)
    {
        bytes = default;
        Span<byte> all = stackalloc byte[LongestKey];
        all.Clear();
        var length = 0;
        foreach (var part in key.Split(" . "))
        {
            if (Write(key[part], all[length..]) is not (> 0 and var written))
            {
                return false;
            }

            length += written;
        }

        bytes = new NftBytes(all[..length]);
        return true;
    }

    /// <summary>The number of a protocol that has ports; 0 for others.</summary>
    public static byte NumberOf(ReadOnlySpan<char> protocol) => protocol switch
    {
        "tcp" => 6,
        "udp" => 17,
        "sctp" => 132,
        _ => 0,
    };

    // How many bytes the part takes; 0: it is none.
    private static int Write(ReadOnlySpan<char> part, Span<byte> room)
    {
        if (part.ContainsAny('.', ':'))
        {
            return IPAddress.TryParse(part, out var address) && address.TryWriteBytes(room, out var written) ? written : 0;
        }

        if (room.Length < sizeof(uint))
        {
            return 0;
        }

        if (ushort.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            BinaryPrimitives.WriteUInt16BigEndian(room, port);
            return sizeof(uint);
        }

        room[0] = NumberOf(part);
        return room[0] == 0 ? 0 : sizeof(uint);
    }

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
