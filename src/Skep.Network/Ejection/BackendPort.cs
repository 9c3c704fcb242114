using System.Globalization;
using System.Net;

namespace Skep.Network.Ejection;

/// <summary>One port of one backend. No two overlay networks of a swarm share an address, so the address names the network.</summary>
internal readonly record struct BackendPort(IPAddress Address, byte Protocol, ushort Port)
{
    public const byte Tcp = 6;
    public const byte Udp = 17;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{new IPEndPoint(Address, Port)}/{(Protocol == Udp ? "udp" : "tcp")}");
}
