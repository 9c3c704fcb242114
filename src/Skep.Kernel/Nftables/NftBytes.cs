using System.Net;

namespace Skep.Kernel.Nftables;

/// <summary>The bytes of a key or a value, compared by what they are. Parts are each padded to four bytes, as nftables keeps them.</summary>
public readonly struct NftBytes : IEquatable<NftBytes>
{
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

    /// <summary>A protocol's number and a port: a key of the type <c>inet_proto . inet_service</c>.</summary>
    public static NftBytes Of(byte protocol, ushort port) => new([protocol, 0, 0, 0, (byte)(port >> 8), (byte)port, 0, 0]);

    /// <summary>An address and a port: <c>ipv4_addr . inet_service</c>.</summary>
    public static NftBytes Of(IPAddress address, ushort port)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new NftBytes([.. address.GetAddressBytes(), (byte)(port >> 8), (byte)port, 0, 0]);
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
