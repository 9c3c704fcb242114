using System.Collections.Immutable;
using System.Net;
using Skep.Kernel.Conntrack;
using Skep.Kernel.Netlink;

namespace Skep.Network.Ejection;

/// <summary>
/// Flows that lead to a silent node: a SYN that nobody answered would be sent there again, and datagrams for ever; so would the SYN of a client
/// that takes the port of an ended connection again, for the kernel does not give each of those up for a new one (IP_CT_TCP_FLAG_CLOSE_INIT in
/// nf_conntrack_proto_tcp.c). They are forgotten, so that the next packet finds another backend; connections that stand are left to their ends, which
/// may come back.
/// </summary>
internal static class StaleFlows
{
    public static void Forget(NodeNetworkOptions options, IEnumerable<string> spaces, ImmutableHashSet<IPAddress> backends)
    {
        if (backends.IsEmpty)
        {
            return;
        }

        foreach (var space in spaces)
        {
            try
            {
                using var ns = options.Open(space);
                using var flows = ConntrackTable.Open(ns);
                flows.Delete([.. flows.AnsweredBy(backends).Where(f => !f.IsStanding)]);
            }
            catch (Exception gone) when (gone is IOException or NetlinkException)
            {
                // A namespace that is gone has no flows, and the next one has its own.
            }
        }
    }
}
