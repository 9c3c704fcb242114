using System.Globalization;
using System.Net;

namespace Skep.Daemon;

/// <summary>A range that networks without a <c>--subnet</c> are cut from, in pieces of <paramref name="Size"/> prefix bits.</summary>
public sealed record AddressPool(IPNetwork Base, int Size)
{
    /// <summary>Reads <c>10.20.0.0/16,24</c> or Docker's <c>base=10.20.0.0/16,size=24</c>; null when it is neither.</summary>
    public static AddressPool? TryParse(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        if (parts.Length != 2)
        {
            return null;
        }

        var (range, size) = (Strip(parts[0], "base="), Strip(parts[1], "size="));
        return IPNetwork.TryParse(range, out var network) && int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var bits)
            ? new AddressPool(network, bits)
            : null;
    }

    /// <summary>The first subnets of the pool; more than these are never tried for one bridge.</summary>
    public IEnumerable<IPNetwork> Subnets()
    {
        const int Most = 256;
        var first = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(Base.BaseAddress.GetAddressBytes());
        for (var i = 0U; i < Math.Min(Most, 1UL << (Size - Base.PrefixLength)); i++)
        {
            var address = new byte[4];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(address, first + (i << (32 - Size)));
            yield return new IPNetwork(new IPAddress(address), Size);
        }
    }

    private static string Strip(string text, string prefix) =>
        text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : text;

    public override string ToString() => $"{Base},{Size}";
}
