using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Conntrack;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;

namespace Skep.Network.Relays;

/// <summary>
/// What the host's rules have translated. A flow that reaches ingress_sbox has lost what its client dialled, and one of the node's own
/// loopback or containers also where it came from; the host's connection tracking knows both.
/// </summary>
public sealed class HostFlows(NetworkNamespace host) : IDisposable
{
    private const byte Tcp = 6;
    private readonly ConntrackTable _flows = ConntrackTable.Open(host);

    /// <summary>The two ends as the client has them; null when the host does not know the flow (any more).</summary>
    /// <param name="peer">Where the flow comes from, as ingress_sbox sees it.</param>
    /// <param name="published">Where it went to, as ingress_sbox sees it.</param>
    public (IPEndPoint Client, IPEndPoint Dialled)? Find(IPEndPoint peer, IPEndPoint published)
    {
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(published);
        try
        {
            return _flows.FindByReply(new FlowTuple(published.Address, peer.Address, Tcp, (ushort)published.Port, (ushort)peer.Port))?.Original is { } original
                ? (new IPEndPoint(original.Source, original.SourcePort), new IPEndPoint(original.Destination, original.DestinationPort))
                : null;
        }
        catch (Exception failure) when (failure is NetlinkException or SocketException or IOException)
        {
            return null;
        }
    }

    public void Dispose() => _flows.Dispose();
}
