using Skep.Kernel.Nftables;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>The tables that balance VIPs and published ports, beside our table of everything else.</summary>
internal static class BalancerStep
{
    public static void Apply(SpacePass pass, bool readBack)
    {
        foreach (var wanted in pass.Wanted.Balancers)
        {
            var balances = pass.Wanted.Balances.Where(b => b.Family == wanted.Family);
            var balancer = BalancerOf(pass.Space, wanted);
            if (readBack || !balancer.Known)
            {
                balancer.ApplyAll(balances, pass.Differs);
            }
            else
            {
                balancer.Apply(Changed(pass, wanted.Family), pass.Differs);
            }
        }

        Remove(pass);
    }

    private static Balancer BalancerOf(Space space, WantedBalancer wanted)
    {
        if (!space.Balancers.TryGetValue(wanted.Family, out var balancer) || balancer.Wanted != wanted)
        {
            space.Balancers[wanted.Family] = balancer = new Balancer(wanted, space.Rules);
        }

        return balancer;
    }

    private static List<(string Key, WantedBalance? Balance)> Changed(SpacePass pass, string family)
    {
        var before = pass.Space.Applied!.Balances.Where(b => b.Family == family).ToDictionary(b => b.Key, StringComparer.Ordinal);
        var changes = Changes.Between(pass.Wanted.Balances.Where(b => b.Family == family).ToDictionary(b => b.Key, StringComparer.Ordinal), before);
        return [.. changes.Set.Select(s => (s.Key, (WantedBalance?)s.Value)), .. changes.Remove.Select(r => (r.Key, (WantedBalance?)null))];
    }

    private static void Remove(SpacePass pass)
    {
        string[] families = pass.Sweep ? ["ip", "ip6"] : [.. pass.Space.Balancers.Keys];
        foreach (var family in families.Where(f => pass.Wanted.Balancers.All(b => b.Family != f)))
        {
            var form = new BalancerForm(new WantedBalancer(family, ByPort: false));
            var batch = new NftBatch();
            foreach (var number in pass.Space.Rules.Tables(form.Family).Select(t => BalancerForm.NumberOf(t.Table.Name)).OfType<int>())
            {
                pass.Differs(RepairKind.Table, RepairCause.NotOurs, $"table {form.Table(number)} was not wanted");
                batch.DeleteTable(form.Table(number));
            }

            pass.Space.Rules.Run(batch);
            pass.Space.Balancers.Remove(family);
        }
    }
}
