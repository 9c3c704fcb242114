using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Skep.Manager.Allocation;

/// <summary>A prefix of either family as numbers. First and Last are the addresses that may be given out.</summary>
public sealed record AddressRange(AddressFamily Family, UInt128 First, UInt128 Last, int PrefixLength)
{
    public UInt128 Size => Last - First + 1;

    /// <summary>The usable addresses of a prefix: all but the network's and the broadcast address, which /31 and /32 do not have.</summary>
    public static AddressRange Of(IPNetwork network)
    {
        var (first, last) = Bounds(network);
        var bits = network.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        return network.PrefixLength >= bits - 1
            ? new AddressRange(network.BaseAddress.AddressFamily, first, last, network.PrefixLength)
            : new AddressRange(network.BaseAddress.AddressFamily, first + 1, last - 1, network.PrefixLength);
    }

    /// <summary>This range, cut to what <paramref name="part"/> holds.</summary>
    public AddressRange Within(IPNetwork part)
    {
        var (first, last) = Bounds(part);
        return this with { First = UInt128.Max(First, first), Last = UInt128.Min(Last, last) };
    }

    public bool Contains(UInt128 number) => number >= First && number <= Last;

    public string Prefix(UInt128 number) => $"{ToAddress(number, Family)}/{PrefixLength}";

    public static bool Overlap(IPNetwork one, IPNetwork other) =>
        one.BaseAddress.AddressFamily == other.BaseAddress.AddressFamily && (one.Contains(other.BaseAddress) || other.Contains(one.BaseAddress));

    public static (UInt128 First, UInt128 Last) Bounds(IPNetwork network)
    {
        var bits = network.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var first = ToNumber(network.BaseAddress);
        var size = bits == network.PrefixLength ? UInt128.One : UInt128.One << (bits - network.PrefixLength);
        return (first, first + (size - 1));
    }

    public static UInt128 ToNumber(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    public static IPAddress ToAddress(UInt128 number, AddressFamily family)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(family == AddressFamily.InterNetwork ? bytes[12..] : bytes);
    }

    /// <summary>The number and family of "10.0.1.5/24" or "10.0.1.5"; null when it is neither.</summary>
    public static (AddressFamily Family, UInt128 Number)? Read(string? text) =>
        text is not null && IPAddress.TryParse(text.Split('/')[0], out var address) ? (address.AddressFamily, ToNumber(address)) : null;
}
