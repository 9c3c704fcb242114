using System.Globalization;
using System.Net;
using Skep.Kernel.Conntrack;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// Flows whose translation is no longer true are forgotten: those to an endpoint or a host's port that is gone, so that a UDP client reaches
/// another backend with its next datagram and a TCP client is refused instead of waiting; and datagrams that found nobody before
/// there was somebody. Endpoints that drain are still there and keep theirs.
/// </summary>
internal static class FlowStep
{
    private const byte Udp = 17;

    /// <summary>After a full pass.</summary>
    public static void Apply(SpacePass pass)
    {
        if (ReferenceEquals(pass.Space.AppliedParts, pass.Parts))
        {
            return;
        }

        if (pass.Parts.Frame.Kind == SpaceKind.Overlay)
        {
            var there = Endpoints(pass.Wanted).ToHashSet();
            if (pass.Space.Applied is { } before)
            {
                Forget(pass, Endpoints(before).Where(a => !there.Contains(a)).ToHashSet());
            }
            else
            {
                // A daemon that starts does not know who went while it was away: whoever is not there now is gone.
                Forget(pass, flows => flows.Entries().Where(f => IsTranslated(f) && f.ZoneNumber == 0 && !there.Contains(f.Reply.Source)));
            }
        }

        Apply(pass, pass.Space.AppliedParts?.Shares.Values, pass.Parts.Shares.Values);
    }

    /// <summary>Forgets what was balanced to these addresses.</summary>
    public static void Forget(SpacePass pass, HashSet<IPAddress> gone)
    {
        if (gone.Count > 0)
        {
            Forget(pass, flows => flows.AnsweredBy(gone));
        }
    }

    /// <summary>Forgets what follows from the ports and balances of shares that changed. Before is null when it is not known.</summary>
    public static void Apply(SpacePass pass, IEnumerable<WantedShare>? before, IEnumerable<WantedShare> after)
    {
        switch (pass.Parts.Frame.Kind)
        {
            case SpaceKind.Overlay:
                ForgetUnanswered(pass, before, after);
                break;
            case SpaceKind.Host:
                ForgetUnanswered(pass, before, after);
                if (before is not null)
                {
                    ForgetPorts(pass, [.. before.SelectMany(s => s.Elements)], [.. after.SelectMany(s => s.Elements)]);
                }

                break;
        }
    }

    // A flow is translated by its first packet. A client that asked before there was a backend, and goes on asking, would never reach it.
    private static void ForgetUnanswered(SpacePass pass, IEnumerable<WantedShare>? before, IEnumerable<WantedShare> after)
    {
        var served = Served(before ?? []);
        var begun = Served(after).Where(k => !served.Contains(k)).ToHashSet(StringComparer.Ordinal);
        var byPort = pass.Parts.Frame.Kind == SpaceKind.Host;
        if (byPort ? begun.Any(IsOfDatagrams) : begun.Count > 0)
        {
            Forget(pass.Space, flow => flow.Original.Protocol == Udp && !IsTranslated(flow)
                && begun.Contains(byPort ? PortKey(flow) : flow.Original.Destination.ToString()));
        }
    }

    // Live connections end with their task, not with the permission to make new ones; datagrams have nothing to end.
    private static void ForgetPorts(SpacePass pass, List<WantedElement> before, List<WantedElement> after)
    {
        var gone = Openings(before.Except(after));
        var opened = Openings(after.Except(before)).Where(o => o.Protocol == Udp).ToList();
        if (gone.Count + opened.Count == 0)
        {
            return;
        }

        var there = Openings(after);
        var closed = gone.Where(o => o.IsMesh && o.Protocol == Udp).ToList();
        var hosted = gone.Where(o => !o.IsMesh).ToList();
        Forget(pass.Space, flow => IsTranslated(flow)
            ? (hosted.Exists(o => o.LeadsTo(flow)) && !there.Exists(o => o.LeadsTo(flow) && (flow.Original.Protocol != Udp || o.LetsIn(flow))))
                || (closed.Exists(o => o.LetsIn(flow)) && !there.Exists(o => o.IsMesh && o.LetsIn(flow)))
            : flow.Original.Protocol == Udp && opened.Exists(o => o.LetsIn(flow)));
    }

    private static List<HostOpening> Openings(IEnumerable<WantedElement> elements) => [.. elements.Select(HostOpening.Of).OfType<HostOpening>()];

    private static IEnumerable<IPAddress> Endpoints(WantedSpace space) => space.Neighbours.Select(n => n.Address);

    private static HashSet<string> Served(IEnumerable<WantedShare> shares) =>
        shares.SelectMany(s => s.Balances).Where(b => b.Map is null && !b.Backends.IsEmpty).Select(b => b.Key).ToHashSet(StringComparer.Ordinal);

    private static bool IsTranslated(ConntrackEntry flow) => !flow.Original.Destination.Equals(flow.Reply.Source);

    private static bool IsOfDatagrams(string portKey) => portKey.StartsWith("udp ", StringComparison.Ordinal);

    private static string PortKey(ConntrackEntry flow) => string.Create(CultureInfo.InvariantCulture, $"udp . {flow.Original.DestinationPort}");

    private static void Forget(SpacePass pass, Func<ConntrackTable, IEnumerable<ConntrackEntry>> choose)
    {
        pass.Space.Flows.Delete([.. choose(pass.Space.Flows)]);
        // The ingress network's flows are translated on the host, and the relay's in ingress_sbox.
        if (pass.Parts.Frame.Kind == SpaceKind.Overlay && pass.Wanted.Links.Any(l => l.FarEnd?.Space == WantedSpace.IngressSandbox))
        {
            // A flow that is forgotten before the balancers are right is led to the same place again.
            pass.Spaces.Afterwards.Enqueue(() => ForgetMeshed(pass, choose));
        }
    }

    private static void ForgetMeshed(SpacePass pass, Func<ConntrackTable, IEnumerable<ConntrackEntry>> choose)
    {
        List<IPNetwork> subnets = [.. pass.Parts.Frame.Addresses.Select(a => Addressing.NetworkOf(a.Address, a.PrefixLength))];
        var host = pass.Spaces.Host.Flows;
        host.Delete([.. choose(host).Where(f => subnets.Exists(s => s.Contains(f.Reply.Source)))]);
        if (pass.Spaces.TryGet(WantedSpace.IngressSandbox, out var sandbox))
        {
            sandbox.Flows.Delete([.. choose(sandbox.Flows)]);
        }
    }

    private static void Forget(Space space, Func<ConntrackEntry, bool> chosen) => space.Flows.Delete([.. space.Flows.Entries().Where(chosen)]);
}
