using System.Net;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

internal static class AddressStep
{
    public static void Apply(SpacePass pass)
    {
        var names = pass.Links.ToDictionary(l => l.Value.Index, l => l.Key);
        var there = pass.Space.Routes.Addresses()
            .Where(a => names.ContainsKey(a.Index) && !a.Address.IsIPv6LinkLocal)
            .ToDictionary(a => (Link: names[a.Index], a.Address, a.PrefixLength), _ => true);
        var changes = Changes.Between(Wanted(pass.Wanted), there);
        pass.Space.Change(batch =>
        {
            foreach (var ((link, address, length), _) in changes.Set)
            {
                pass.Differs(RepairKind.Address, RepairCause.Missing, $"address {address}/{length} on {link} was missing");
                batch.AddAddress(pass.IndexOf(link), address, length);
            }

            foreach (var ((link, address, length), _) in changes.Remove.Where(_ => pass.Wanted.Kind != SpaceKind.Container))
            {
                pass.Differs(RepairKind.Address, RepairCause.NotOurs, $"address {address}/{length} on {link} was not wanted");
                batch.DeleteAddress(pass.IndexOf(link), address, length);
            }
        });
    }

    private static Dictionary<(string Link, IPAddress Address, int PrefixLength), bool> Wanted(WantedSpace wanted) =>
        wanted.Addresses.Distinct().ToDictionary(a => (a.Link, a.Address, a.PrefixLength), _ => true);
}
