using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Skep.Network.Sockets;

/// <summary>An address as the maps hold it: sixteen bytes in the order of the wire, IPv4 as ::ffff:a.b.c.d, so that both families are one.</summary>
internal readonly record struct MapAddress(ulong First, ulong Second)
{
    public const int Size = 16;

    public static MapAddress Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[Size];
        (address.AddressFamily == AddressFamily.InterNetwork ? address.MapToIPv6() : address).TryWriteBytes(bytes, out _);
        return MemoryMarshal.Read<MapAddress>(bytes);
    }

    public IPAddress Address
    {
        get
        {
            Span<byte> bytes = stackalloc byte[Size];
            MemoryMarshal.Write(bytes, this);
            var address = new IPAddress(bytes);
            return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        }
    }

    public override string ToString() => Address.ToString();
}
