using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Conntrack;
using Skep.Kernel.Netlink;
using Skep.Kernel.Nftables;

namespace Skep.Network.Reconcile;

/// <summary>
/// A datagram's flow has no end that could be waited for: a client that keeps its port would reach a draining backend until that is
/// gone. So the translation of such flows is forgotten as soon as the backend drains, and the next datagram goes to another. Answers that are under
/// way find a translation of their own, in a zone of connection tracking that only they are sent to; no request is lost. Each drain has a
/// zone of its own: a client's next backend may drain while answers of the one before are still translated.
/// </summary>
internal static class DatagramStep
{
    public const string Table = "skep_late";

    private const byte Udp = 17;
    private const string Map = "late";
    private const string Chain = "answers";

    /// <summary>Seconds for which answers of a drained backend are sent to their zone.</summary>
    private const uint Patience = 10;

    // What an earlier daemon used last is over by the time that this one has come round to it.
    private static int s_zone = Environment.ProcessId;

    public static async Task ReleaseAsync(Space space, IReadOnlySet<IPAddress> draining, ILogger logger, CancellationToken cancellationToken)
    {
        var table = space.Flows;
        // What the balancer has translated: who answers is not who was asked.
        var flows = table.AnsweredBy(draining, Udp)
            .Where(f => f.ZoneNumber == 0 && !f.Reply.Source.Equals(f.Original.Destination))
            .ToList();
        if (flows.Count == 0)
        {
            return;
        }

        // In this order an answer finds one or the other at every moment.
        var zone = (ushort)(1 + ((uint)Interlocked.Increment(ref s_zone) % ushort.MaxValue));
        try
        {
            table.Add(flows.Select(f => Late(f, zone)));
            foreach (var family in flows.GroupBy(f => f.Reply.Source.AddressFamily))
            {
                await SendThereAsync(space, family.Key, [.. family], zone, cancellationToken);
            }
        }
        catch (Exception e) when (e is NftException or NetlinkException)
        {
            // Without it answers that are under way are lost; that the draining backend gets nothing more matters more.
            logger.LateAnswersLost(space.Name, e.Message);
        }

        table.Delete(flows);
    }

    private static async Task SendThereAsync(Space space, AddressFamily family, List<ConntrackEntry> flows, ushort zone, CancellationToken cancellationToken)
    {
        try
        {
            await space.Nftables.RunAsync(Rules(family, flows, zone, anew: false), cancellationToken);
        }
        catch (NftException)
        {
            // A task with the address of one that drained seconds ago drains, and a client asks from the same port as then: nft gives
            // no new value to a key. What stood there is over.
            await space.Nftables.RunAsync(Rules(family, flows, zone, anew: true), cancellationToken);
        }
    }

    // It outlives the rule that leads to it.
    private static TranslatedFlow Late(ConntrackEntry flow, ushort zone) => new(
        flow.Reply,
        new IPEndPoint(flow.Original.Destination, flow.Original.DestinationPort),
        new IPEndPoint(flow.Original.Source, flow.Original.SourcePort),
        zone,
        2 * Patience);

    private static NftTransaction Rules(AddressFamily family, List<ConntrackEntry> flows, ushort zone, bool anew)
    {
        var ip = family == AddressFamily.InterNetwork ? "ip" : "ip6";
        var answer = $"{ip} saddr . udp sport . {ip} daddr . udp dport";
        var table = new NftTable(family == AddressFamily.InterNetwork ? NftFamily.Ip : NftFamily.Ip6, Table);
        var elements = flows.Select(f => string.Create(
            CultureInfo.InvariantCulture,
            $"{f.Reply.Source} . {f.Reply.SourcePort} . {f.Reply.Destination} . {f.Reply.DestinationPort} timeout {Patience}s : {zone}"));
        var rules = new NftTransaction()
            .AddTable(table)
            .Add($"add map {table} {Map} {{ typeof {answer} : ct zone; flags timeout; }}");
        if (anew)
        {
            rules.Add($"flush map {table} {Map}");
        }

        return rules
            .Add($"add chain {table} {Chain} {{ type filter hook prerouting priority raw; policy accept; }}")
            .FlushChain(table, Chain)
            .AddRule(table, Chain, $"ct zone set {answer} map @{Map}")
            .AddElement(table, Map, string.Join(", ", elements.Distinct(StringComparer.Ordinal)));
    }
}
