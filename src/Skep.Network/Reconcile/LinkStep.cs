using Skep.Kernel.Links;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>Bridges, tunnels and cables, and the state of their ends.</summary>
internal static class LinkStep
{
    public static void Apply(SpacePass pass)
    {
        var there = pass.Space.Routes.Links().ToDictionary(l => l.Name, StringComparer.Ordinal);
        foreach (var wanted in pass.Wanted.Links)
        {
            pass.Space.Made.Add(wanted.Name);
            var link = there.GetValueOrDefault(wanted.Name);
            pass.Links[wanted.Name] = wanted switch
            {
                { Tunnel: not null } => TunnelStep.Ensure(pass, wanted, link),
                { FarEnd: not null } => CableStep.Ensure(pass, wanted, link),
                { MadeElsewhere: true } => link ?? throw new IOException($"link {wanted.Name} is not there yet"),
                _ => EnsureBridge(pass, wanted, link),
            };
            Settle(pass, wanted);
        }

        foreach (var end in pass.Wanted.Ends)
        {
            var link = there.GetValueOrDefault(end.Name) ?? throw new IOException($"link {end.Name} is not there yet");
            pass.Links[end.Name] = link;
            Correct(pass, link, end.Mtu, end.Mac);
        }

        if (pass.Wanted.Kind != SpaceKind.Host && there.TryGetValue("lo", out var loopback) && !loopback.Up)
        {
            pass.Space.Routes.SetLink(loopback.Index, new LinkChange { Up = true });
        }

        RemoveOthers(pass, there);
    }

    private static Link EnsureBridge(SpacePass pass, WantedLink wanted, Link? link)
    {
        if (link is { Kind: "bridge" })
        {
            CorrectBridge(pass, link);
            return link;
        }

        if (link is not null)
        {
            pass.Space.Routes.DeleteLink(link.Index);
        }

        pass.Differs(RepairKind.Link, RepairCause.Missing, $"bridge {wanted.Name} was missing");
        pass.Space.Routes.AddBridge(wanted.Name, new BridgeOptions { Mtu = wanted.Mtu, Mac = wanted.Mac, DefaultPvid = 0, McastSnooping = false });
        return Find(pass, wanted.Name);
    }

    // Port settings come before the link is up, so that no frame passes under other rules.
    private static void Settle(SpacePass pass, WantedLink wanted)
    {
        var link = pass.Links[wanted.Name];
        if (wanted.Master is { } bridge)
        {
            var master = pass.IndexOf(bridge);
            if (link.Master != master)
            {
                pass.Differs(RepairKind.Link, RepairCause.Changed, $"{wanted.Name} was no port of {bridge}");
                pass.Space.Routes.SetLink(link.Index, new LinkChange { Master = master });
                link = Find(pass, wanted.Name);
            }

            CorrectPort(pass, link, wanted, pass.Links[bridge].Up);
        }

        Correct(pass, link, wanted.Mtu, wanted.Mac);
        pass.Links[wanted.Name] = link;
    }

    // All three keep frames from ports that should have them.
    private static void CorrectBridge(SpacePass pass, Link link)
    {
        var there = link.Bridge ?? new BridgeChange();
        var change = new BridgeChange
        {
            VlanFiltering = ChangeOf(there.VlanFiltering, false),
            Stp = ChangeOf(there.Stp, false),
            McastSnooping = ChangeOf(there.McastSnooping, false),
        };
        if (change != new BridgeChange())
        {
            pass.Differs(RepairKind.Link, RepairCause.Changed, $"bridge {link.Name} had other settings");
            pass.Space.Routes.SetBridge(link.Index, change);
        }
    }

    private static void CorrectPort(SpacePass pass, Link link, WantedLink wanted, bool bridgeWasUp)
    {
        var there = link.Port ?? new BridgePortChange();
        var change = new BridgePortChange
        {
            Hairpin = ChangeOf(there.Hairpin, wanted.Hairpin),
            Learning = ChangeOf(there.Learning, wanted.Learning),
            Isolated = ChangeOf(there.Isolated, wanted.Isolated),
            Locked = ChangeOf(there.Locked, wanted.Locked),
            UnicastFlood = ChangeOf(there.UnicastFlood, true),
            McastFlood = ChangeOf(there.McastFlood, true),
            BcastFlood = ChangeOf(there.BcastFlood, true),
            // Without a carrier, or on a bridge that is down, the kernel itself keeps a port closed.
            Forwards = link.HasCarrier && bridgeWasUp ? ChangeOf(there.Forwards, true) : null,
        };
        if (change != new BridgePortChange())
        {
            pass.Differs(RepairKind.Link, RepairCause.Changed, $"bridge port {wanted.Name} had other settings");
            pass.Space.Routes.SetBridgePort(link.Index, change);
        }
    }

    // What this kernel does not have cannot differ.
    private static bool? ChangeOf(bool? there, bool wanted) => there is null || there == wanted ? null : wanted;

    private static void Correct(SpacePass pass, Link link, int mtu, string? mac)
    {
        var change = new LinkChange
        {
            Mtu = link.Mtu == mtu ? null : mtu,
            Mac = mac is null || link.Mac == mac ? null : mac,
            Up = link.Up ? null : true,
        };
        if (change != new LinkChange())
        {
            pass.Differs(RepairKind.Link, RepairCause.Changed, $"{link.Name} was {(link.Up ? "up" : "down")} with MTU {link.Mtu} and MAC {link.Mac}");
            pass.Space.Routes.SetLink(link.Index, change);
        }
    }

    // Beyond what we wanted before, a sweep takes the gateway bridge, every unknown cable and half-made tunnels; the rest of a host is not ours.
    private static void RemoveOthers(SpacePass pass, Dictionary<string, Link> there)
    {
        var bridges = pass.Wanted.Links.Where(l => l.Master is not null).Select(l => l.Master!).Append(SpaceNames.GatewayBridge)
            .Where(there.ContainsKey).Select(b => there[b].Index).ToHashSet();
        foreach (var link in there.Values.Where(l => !pass.Links.ContainsKey(l.Name)))
        {
            if (pass.Space.Made.Contains(link.Name) || (pass.Sweep && IsLeftover(pass, link, bridges)))
            {
                pass.Differs(RepairKind.Link, RepairCause.NotOurs, $"{link.Name} was not wanted");
                pass.Space.Routes.DeleteLink(link.Index);
            }
        }

        pass.Space.Made.Clear();
        pass.Space.Made.UnionWith(pass.Wanted.Links.Select(l => l.Name));
    }

    private static bool IsLeftover(SpacePass pass, Link link, HashSet<int> bridges) =>
        (link.Kind == "veth" && bridges.Contains(link.Master))
        || (pass.Wanted.Kind == SpaceKind.Host && TunnelStep.IsUnfinished(link))
        || (pass.Wanted.Kind == SpaceKind.Host && link is { Kind: "bridge", Name: SpaceNames.GatewayBridge } or { Kind: "veth", Name: HostMesh.Link });

    internal static Link Find(SpacePass pass, string name) =>
        pass.Space.Routes.FindLink(name) ?? throw new IOException($"link {name} went away");
}
