using System.Net;
using System.Net.Sockets;

namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/socket.h: the numbers behind .NET's <see cref="AddressFamily"/>, which has its own for IPv6.</summary>
internal static class AddressFamilies
{
    public const byte AF_UNSPEC = 0;
    public const byte AF_INET = 2;
    public const byte AF_BRIDGE = 7;
    public const byte AF_INET6 = 10;

    public static byte Of(IPAddress address) => Of(address.AddressFamily);

    public static byte Of(AddressFamily family) => family switch
    {
        AddressFamily.Unspecified => AF_UNSPEC,
        AddressFamily.InterNetwork => AF_INET,
        AddressFamily.InterNetworkV6 => AF_INET6,
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "neither IPv4 nor IPv6"),
    };

    public static AddressFamily ToFamily(byte family) => family == AF_INET6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;

    public static IPAddress Any(byte family) => family == AF_INET6 ? IPAddress.IPv6Any : IPAddress.Any;
}
