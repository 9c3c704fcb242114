using System.Collections.Immutable;
using Skep.Kernel.Ipvs;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>The virtual servers of the classic data plane: read back from IPVS, and the difference changed, flow by flow untouched.</summary>
internal static class VirtualServerStep
{
    private const string Scheduler = "rr";

    public static void Apply(SpacePass pass)
    {
        if (pass.Wanted.VirtualServers.IsEmpty && (pass.Space.Applied?.VirtualServers ?? []).IsEmpty && !Balances(pass.Wanted))
        {
            return;
        }

        using var table = IpvsTable.Open(pass.Space.Namespace);
        var there = table.Services().ToDictionary(s => s.Mark, s => s.Scheduler);
        foreach (var wanted in pass.Wanted.VirtualServers)
        {
            if (!there.TryGetValue(wanted.Mark, out var scheduler) || scheduler != Scheduler)
            {
                pass.Differs(RepairKind.Balance, RepairCause.Missing, $"virtual server {wanted.Mark} was missing");
                if (scheduler is not null)
                {
                    table.DeleteService(wanted.Mark);
                }

                table.AddService(new IpvsService(wanted.Mark, Scheduler));
            }

            Servers(pass, table, wanted.Mark, wanted.Servers);
        }

        foreach (var mark in there.Keys.Where(m => !pass.Wanted.VirtualServers.Any(w => w.Mark == m)))
        {
            pass.Differs(RepairKind.Balance, RepairCause.NotOurs, $"virtual server {mark} was not wanted");
            table.DeleteService(mark);
        }
    }

    private static void Servers(SpacePass pass, IpvsTable table, uint mark, ImmutableSortedDictionary<string, uint> wanted)
    {
        var there = table.Destinations(mark).ToDictionary(d => d.Address.ToString(), d => d.Weight);
        foreach (var (address, weight) in wanted)
        {
            var destination = new IpvsDestination(System.Net.IPAddress.Parse(address), weight);
            if (!there.TryGetValue(address, out var has))
            {
                pass.Differs(RepairKind.Balance, RepairCause.Missing, $"real server {address} of {mark} was missing");
                table.AddDestination(mark, destination);
            }
            else if (has != weight)
            {
                pass.Differs(RepairKind.Balance, RepairCause.Changed, $"real server {address} of {mark} had weight {has}");
                table.SetDestination(mark, destination);
            }
        }

        foreach (var address in there.Keys.Where(a => !wanted.ContainsKey(a)))
        {
            pass.Differs(RepairKind.Balance, RepairCause.NotOurs, $"real server {address} of {mark} was not wanted");
            table.DeleteDestination(mark, System.Net.IPAddress.Parse(address));
        }
    }

    // ingress_sbox and a load balancer may hold virtual servers of an earlier daemon even when none is wanted now.
    private static bool Balances(WantedSpace wanted) =>
        wanted.Kind is SpaceKind.Balancer || (wanted.Kind is SpaceKind.Ingress && !wanted.Iptables.IsEmpty);
}
