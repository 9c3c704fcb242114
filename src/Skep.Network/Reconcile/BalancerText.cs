using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Skep.Kernel.Nftables;

namespace Skep.Network.Reconcile;

internal static class BalancerText
{
    /// <summary>A key as people write it: an address, or a protocol's number and a port.</summary>
    public static string Key(NftBytes key) => key.Length == 8
        ? string.Create(CultureInfo.InvariantCulture, $"{key.Span[0]} . {BinaryPrimitives.ReadUInt16BigEndian(key.Span[4..])}")
        : new IPAddress(key.Span).ToString();
}
