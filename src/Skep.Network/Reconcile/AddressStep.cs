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
            .ToDictionary(a => new Key(names[a.Index], a.Address, a.PrefixLength, a.Peer), _ => true);
        var wanted = pass.Wanted.Addresses.Distinct().ToDictionary(a => new Key(a.Link, a.Address, a.PrefixLength, null), _ => true);
        var changes = Changes.Between(wanted, there);
        // The kernel refuses an address that is there in another form, with another length or another end.
        var missing = changes.Set.Select(s => (s.Key.Link, s.Key.Address)).ToHashSet();
        var wrong = changes.Remove.Select(r => r.Key).ToLookup(k => missing.Contains((k.Link, k.Address)));
        pass.Space.Change(batch =>
        {
            foreach (var key in wrong[true])
            {
                pass.Differs(RepairKind.Address, RepairCause.Changed, $"address {key} was of another form");
                batch.DeleteAddress(pass.IndexOf(key.Link), key.Address, key.PrefixLength, key.Peer);
            }

            foreach (var (key, _) in changes.Set)
            {
                pass.Differs(RepairKind.Address, RepairCause.Missing, $"address {key} was missing");
                batch.AddAddress(pass.IndexOf(key.Link), key.Address, key.PrefixLength);
            }

            foreach (var key in wrong[false].Where(_ => pass.Wanted.Kind != SpaceKind.Container))
            {
                pass.Differs(RepairKind.Address, RepairCause.NotOurs, $"address {key} was not wanted");
                batch.DeleteAddress(pass.IndexOf(key.Link), key.Address, key.PrefixLength, key.Peer);
            }
        });
    }

    /// <summary>What the kernel tells addresses of one namespace apart by.</summary>
    private readonly record struct Key(string Link, IPAddress Address, int PrefixLength, IPAddress? Peer)
    {
        public override string ToString() => $"{Address}{(Peer is null ? "" : $" peer {Peer}")}/{PrefixLength} on {Link}";
    }
}
