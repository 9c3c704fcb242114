using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Conntrack;

namespace Skep.Network.Reconcile;

/// <summary>Flows by who answers them. A busy node tracks a hundred thousand, of which one backend has few.</summary>
internal static class FlowReading
{
    // For each question the kernel walks all flows, and of IPv6 it tells all; for many backends it is cheaper to be told all of them once.
    private const int Few = 8;

    public static IEnumerable<ConntrackEntry> AnsweredBy(this ConntrackTable flows, IReadOnlySet<IPAddress> backends, byte? protocol = null) =>
        backends.Count <= Few && backends.All(b => b.AddressFamily == AddressFamily.InterNetwork)
        ? backends.SelectMany(b => flows.Entries(new ConntrackFilter { ReplySource = b, Protocol = protocol }))
        : flows.Entries(new ConntrackFilter { Protocol = protocol }).Where(f => backends.Contains(f.Reply.Source));
}
