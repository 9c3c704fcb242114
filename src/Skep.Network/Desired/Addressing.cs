using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Skep.Model.Errors;
using Skep.Model.Specs;

namespace Skep.Network.Desired;

/// <summary>Addresses as text (10.0.1.5/24) and what follows from them.</summary>
internal static class Addressing
{
    /// <summary>The address of a prefix: 10.0.1.5 of 10.0.1.5/24, with the prefix's length.</summary>
    public static (IPAddress Address, int PrefixLength) Split(string prefix)
    {
        var slash = prefix.IndexOf('/', StringComparison.Ordinal);
        var head = slash < 0 ? prefix : prefix.AsSpan(0, slash);
        if (!IPAddress.TryParse(head, out var address))
        {
            throw ClusterException.Invalid($"\"{prefix}\" is not an address.");
        }

        var whole = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        return (address, slash < 0 ? whole : int.Parse(prefix.AsSpan(slash + 1), CultureInfo.InvariantCulture));
    }

    public static IPAddress AddressOf(string prefix) => Split(prefix).Address;

    public static bool IsSix(string prefix) => prefix.Contains(':', StringComparison.Ordinal);

    /// <summary>32 or 128.</summary>
    public static int BitsOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;

    /// <summary>02:42: and the IPv4 address, as everybody who looked into a Swarm's container knows it; an IPv6 address is hashed to four bytes.</summary>
    public static string MacOf(IPAddress address) => Mac(0x42, address);

    /// <summary>
    /// By which tasks of the ingress network know that a node's host let a flow in. Its last four bytes are not those of any address of that network, which
    /// all begin with the same bit, so that ingress_sbox' own flows are told from the host's.
    /// </summary>
    public static string EntryMacOf(IPAddress ingress) => Mac(0x42, ingress, 0x80);

    /// <summary>The other end of the host's cable: nobody sends to it.</summary>
    public static string PortMacOf(IPAddress ingress) => Mac(0x54, ingress);

    /// <summary>A bridge's own address: the node's, so that no two nodes' bridges in one network share it.</summary>
    public static string BridgeMacOf(IPAddress vtep) => Mac(0x53, vtep);

    /// <summary>The network that a prefix lies in: 10.0.1.0/24 of 10.0.1.5/24.</summary>
    public static IPNetwork NetworkOf(IPAddress address, int prefixLength)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = prefixLength; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(bytes), prefixLength);
    }

    /// <summary>The gateway of a subnet with its prefix length: the one that it names, or its first address.</summary>
    public static (IPAddress Address, int PrefixLength) GatewayOf(IpamConfig subnet)
    {
        var (address, length) = Split(subnet.Subnet ?? throw ClusterException.Invalid("A network has a pool without a subnet."));
        return (string.IsNullOrEmpty(subnet.Gateway) ? Nth(NetworkOf(address, length), 1) : AddressOf(subnet.Gateway), length);
    }

    /// <summary>The <paramref name="index"/>th address of a network, counted from its base.</summary>
    public static IPAddress Nth(IPNetwork network, uint index)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        for (var i = bytes.Length - 1; i >= 0 && index > 0; i--)
        {
            index += bytes[i];
            bytes[i] = (byte)index;
            index >>= 8;
        }

        return new IPAddress(bytes);
    }

    public static bool Overlap(IPNetwork left, IPNetwork right) =>
        left.BaseAddress.AddressFamily == right.BaseAddress.AddressFamily && (left.Contains(right.BaseAddress) || right.Contains(left.BaseAddress));

    /// <summary>The address as a number; a mark and a table of routes at once. An IPv6 address is hashed.</summary>
    public static uint NumberOf(IPAddress address)
    {
        var bytes = Four(address);
        return ((uint)bytes[0] << 24) | ((uint)bytes[1] << 16) | ((uint)bytes[2] << 8) | bytes[3];
    }

    /// <summary>The mark that the kernel makes of the last four bytes of a MAC (<c>meta mark set @ll,64,32</c>): as they lie in memory.</summary>
    public static uint MarkOf(string mac) => BitConverter.ToUInt32(Convert.FromHexString(mac.Replace(":", "", StringComparison.Ordinal)), 2);

    /// <summary>An identifier of 64 hexadecimal digits that follows from what it names.</summary>
    public static string IdOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Mac(byte second, IPAddress address, byte flipped = 0)
    {
        var b = Four(address);
        return string.Create(CultureInfo.InvariantCulture, $"02:{second:x2}:{b[0] ^ flipped:x2}:{b[1]:x2}:{b[2]:x2}:{b[3]:x2}");
    }

    private static byte[] Four(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork ? address.GetAddressBytes() : SHA256.HashData(address.GetAddressBytes())[..4];
}
