using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Kernel.Sockets;
using Skep.Network.Desired;

namespace Skep.Network.Relays;

/// <summary>The relay of this node, as the sockets of ingress_sbox tell it.</summary>
/// <param name="Ports">Published ports that it serves.</param>
/// <param name="Listens">Whether it is there.</param>
/// <param name="Flows">Clients' connections that it has.</param>
public sealed record RelayStatus(int Ports, bool Listens, int Flows)
{
    private static readonly SocketState[] s_live =
    [
        SocketState.Established, SocketState.SynReceived, SocketState.FinWait1, SocketState.FinWait2, SocketState.CloseWait, SocketState.LastAck, SocketState.Closing,
    ];

    /// <summary>Null when there is no ingress_sbox, or the kernel tells nothing of its sockets.</summary>
    internal static RelayStatus? Of(string sandbox, int ports)
    {
        try
        {
            using var ns = NetworkNamespace.Open(sandbox);
            using var table = SocketTable.Open(ns);
            var own = table.Tcps([SocketState.Listen, .. s_live]).Where(s => s.Local.Port == RelayTables.Port && s.Inode != 0).ToList();
            return new RelayStatus(ports, own.Exists(s => s.State == SocketState.Listen), own.Count(s => s.State != SocketState.Listen));
        }
        catch (Exception failure) when (failure is IOException or NetlinkException)
        {
            return null;
        }
    }
}
