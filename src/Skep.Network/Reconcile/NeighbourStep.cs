using System.Net;
using Skep.Kernel.Routes;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>Who has which address, and where frames for it go: permanent neighbours and forwarding entries.</summary>
internal static class NeighbourStep
{
    public static void Apply(SpacePass pass)
    {
        if (pass.Wanted.Kind is not (SpaceKind.Overlay or SpaceKind.Host))
        {
            return;
        }

        // The host asks for its neighbours in the mesh, so that none on our links is permanent; its bridge learns.
        var neighbours = Neighbours(pass);
        var forwarding = Forwarding(pass);
        pass.Space.Change(batch =>
        {
            foreach (var ((link, address), mac) in neighbours.Set)
            {
                pass.Differs(RepairKind.Neighbour, neighbours.CauseOf((link, address)), $"neighbour {address} on {link} was not {mac}");
                batch.SetNeighbour(pass.IndexOf(link), address, mac);
            }

            foreach (var ((link, mac, self), (vtep, _)) in forwarding.Set)
            {
                pass.Differs(RepairKind.Forwarding, forwarding.CauseOf((link, mac, self)), $"forwarding of {mac} on {link} was not {vtep?.ToString() ?? "there"}");
                Forward(batch, pass.IndexOf(link), mac, self ? vtep : null);
            }

            foreach (var ((link, address), mac) in neighbours.Remove)
            {
                pass.Differs(RepairKind.Neighbour, RepairCause.NotOurs, $"neighbour {address} ({mac}) on {link} was not wanted");
                batch.DeleteNeighbour(pass.IndexOf(link), address);
            }

            foreach (var ((link, mac, self), _) in forwarding.Remove)
            {
                pass.Differs(RepairKind.Forwarding, RepairCause.NotOurs, $"forwarding of {mac} on {link} was not wanted");
                if (self)
                {
                    batch.DeleteFdb(pass.IndexOf(link), mac);
                }
                else
                {
                    batch.DeleteBridgeFdb(pass.IndexOf(link), mac);
                }
            }
        });
    }

    private static Changes<(string Link, IPAddress Address), string> Neighbours(SpacePass pass)
    {
        var names = pass.Links.ToDictionary(l => l.Value.Index, l => l.Key);
        var there = pass.Space.Routes.Neighbours()
            .Where(n => n.Permanent && names.ContainsKey(n.LinkIndex))
            .ToDictionary(n => (names[n.LinkIndex], n.Address), n => n.Mac);
        return Changes.Between(pass.Wanted.Neighbours.ToDictionary(n => (n.Link, n.Address), n => n.Mac), there);
    }

    /// <summary>
    /// A tunnel's own entries lead to a node; a bridge's static ones to a port. The kernel's own entries (a port's MAC, multicast)
    /// are neither.
    /// </summary>
    public static bool IsKept(FdbEntry entry) => entry.Self ? entry.Vtep is not null : !entry.Permanent;

    private static Changes<(string Link, string Mac, bool Self), (IPAddress? Vtep, bool Deviates)> Forwarding(SpacePass pass)
    {
        var there = new Dictionary<(string, string, bool), (IPAddress?, bool)>();
        foreach (var (name, link) in pass.Links.Where(l => pass.Wanted.Kind == SpaceKind.Overlay && pass.Wanted.Links.Any(w => w.Name == l.Key && w.Master is not null)))
        {
            foreach (var entry in pass.Space.Routes.Fdb(link.Index).Where(IsKept))
            {
                there[(name, entry.Mac, entry.Self)] = (entry.Vtep, entry.Deviates);
            }
        }

        return Changes.Between(pass.Wanted.Forwarding.ToDictionary(f => (f.Link, f.Mac, f.Vtep is not null), f => (f.Vtep, false)), there);
    }

    internal static void Forward(RouteBatch batch, int link, string mac, IPAddress? vtep)
    {
        if (vtep is null)
        {
            batch.SetBridgeFdb(link, mac);
        }
        else
        {
            batch.SetFdb(link, mac, vtep);
        }
    }
}
