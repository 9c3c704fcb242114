using System.Net;
using Skep.Kernel.Routes;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// A change of some shares, done without a look at the rest: what the kernel holds is what was applied last, as long as nobody
/// else touched it. New things come before balancers that lead to them, and old ones go after.
/// </summary>
internal static class ShareStep
{
    /// <summary>False: the change is of a kind that the full pass must do; nothing was done then.</summary>
    public static async Task<bool> TryApplyAsync(SpacePass pass, WantedParts before, WantedParts after, IReadOnlyCollection<ShareKey> keys, CancellationToken cancellationToken)
    {
        var space = pass.Space;
        if (space.Indexes is not { } indexes
            || keys.Any(k => !ShareBook.Covers(before.Shares.GetValueOrDefault(k)) || !ShareBook.Covers(after.Shares.GetValueOrDefault(k)))
            || after.Frame.Balancers.Any(b => !space.Balancers.TryGetValue(b.Family, out var known) || !known.Known || known.Wanted != b)
            || space.Book is not { } book)
        {
            return false;
        }

        foreach (var key in keys)
        {
            book.Replace(key, before.Shares.GetValueOrDefault(key), after.Shares.GetValueOrDefault(key));
        }

        var links = new LinkChanges(book.Addresses.Changes(), book.Routes.Changes(), book.Neighbours.Changes(), book.Forwarding.Changes());
        space.Change(batch => Add(pass, batch, indexes, links));
        var elements = book.Elements.Changes();
        await SetAsync(pass, elements, cancellationToken);
        Apply(pass, book.Balances.Changes());
        await RemoveAsync(pass, elements, cancellationToken);
        space.Change(batch => Remove(pass, batch, indexes, links));
        FlowStep.Forget(pass, Gone(links.Neighbours));
        FlowStep.Apply(pass, keys.Select(k => before.Shares.GetValueOrDefault(k)).OfType<WantedShare>(), keys.Select(k => after.Shares.GetValueOrDefault(k)).OfType<WantedShare>());
        return true;
    }

    private static void Add(SpacePass pass, RouteBatch batch, IReadOnlyDictionary<string, int> indexes, LinkChanges links)
    {
        var (addresses, routes, neighbours, forwarding) = links;
        foreach (var ((link, address), mac) in neighbours.Set)
        {
            pass.Differs(RepairKind.Neighbour, neighbours.CauseOf((link, address)), $"neighbour {address} on {link} was not {mac}");
            batch.SetNeighbour(IndexOf(indexes, link), address, mac);
        }

        foreach (var ((link, mac, self), vtep) in forwarding.Set)
        {
            pass.Differs(RepairKind.Forwarding, forwarding.CauseOf((link, mac, self)), $"forwarding of {mac} on {link} was not {vtep?.ToString() ?? "there"}");
            NeighbourStep.Forward(batch, IndexOf(indexes, link), mac, self ? vtep : null);
        }

        foreach (var (address, _) in addresses.Set)
        {
            pass.Differs(RepairKind.Address, RepairCause.Missing, $"address {address.Address}/{address.PrefixLength} on {address.Link} was missing");
            batch.AddAddress(IndexOf(indexes, address.Link), address.Address, address.PrefixLength);
        }

        foreach (var (route, _) in routes.Set)
        {
            pass.Differs(RepairKind.Route, RepairCause.Missing, $"route {WantedText.RouteText(route)} was missing");
            batch.AddRoute(RouteStep.Of(route, IndexOf(indexes, route.Link)));
        }
    }

    private static void Remove(SpacePass pass, RouteBatch batch, IReadOnlyDictionary<string, int> indexes, LinkChanges links)
    {
        var (addresses, routes, neighbours, forwarding) = links;
        foreach (var ((link, address), mac) in neighbours.Remove)
        {
            pass.Differs(RepairKind.Neighbour, RepairCause.NotOurs, $"neighbour {address} ({mac}) on {link} was not wanted");
            batch.DeleteNeighbour(IndexOf(indexes, link), address);
        }

        foreach (var ((link, mac, self), _) in forwarding.Remove)
        {
            pass.Differs(RepairKind.Forwarding, RepairCause.NotOurs, $"forwarding of {mac} on {link} was not wanted");
            if (self)
            {
                batch.DeleteFdb(IndexOf(indexes, link), mac);
            }
            else
            {
                batch.DeleteBridgeFdb(IndexOf(indexes, link), mac);
            }
        }

        foreach (var (address, _) in addresses.Remove)
        {
            pass.Differs(RepairKind.Address, RepairCause.NotOurs, $"address {address.Address}/{address.PrefixLength} on {address.Link} was not wanted");
            batch.DeleteAddress(IndexOf(indexes, address.Link), address.Address, address.PrefixLength);
        }

        foreach (var (route, _) in routes.Remove)
        {
            pass.Differs(RepairKind.Route, RepairCause.NotOurs, $"route {WantedText.RouteText(route)} was not wanted");
            batch.DeleteRoute(RouteStep.Of(route, IndexOf(indexes, route.Link)));
        }
    }

    private static Task SetAsync(SpacePass pass, Changes<(string Family, string Set, string Key), string?> elements, CancellationToken cancellationToken)
    {
        var change = new ElementChange(pass);
        foreach (var ((family, set, key), value) in elements.Set)
        {
            if (elements.Different.Contains((family, set, key)))
            {
                pass.Differs(RepairKind.Element, RepairCause.NotOurs, $"{set} of table {family} {WantedTable.Ours} had {key}");
                change.Delete(family, set, key);
            }

            pass.Differs(RepairKind.Element, RepairCause.Missing, $"{set} of table {family} {WantedTable.Ours} lacked {key}");
            change.Add(family, set, key, value);
        }

        return change.RunAsync(cancellationToken);
    }

    private static Task RemoveAsync(SpacePass pass, Changes<(string Family, string Set, string Key), string?> elements, CancellationToken cancellationToken)
    {
        var change = new ElementChange(pass);
        foreach (var ((family, set, key), _) in elements.Remove)
        {
            pass.Differs(RepairKind.Element, RepairCause.NotOurs, $"{set} of table {family} {WantedTable.Ours} had {key}");
            change.Delete(family, set, key);
        }

        return change.RunAsync(cancellationToken);
    }

    private static void Apply(SpacePass pass, Changes<(string Family, string Key), WantedBalance> balances)
    {
        foreach (var (family, balancer) in pass.Space.Balancers)
        {
            List<(string Key, WantedBalance? Balance)> changes =
            [
                .. balances.Set.Where(s => s.Key.Family == family).Select(s => (s.Key.Key, (WantedBalance?)s.Value)),
                .. balances.Remove.Where(r => r.Key.Family == family).Select(r => (r.Key.Key, (WantedBalance?)null)),
            ];
            if (changes.Count > 0)
            {
                balancer.Apply(changes, pass.Differs);
            }
        }
    }

    private static int IndexOf(IReadOnlyDictionary<string, int> links, string link) =>
        links.TryGetValue(link, out var index) ? index : throw new IOException($"link {link} is not there");

    // Whoever moved to another place is still there.
    private static HashSet<IPAddress> Gone(Changes<(string Link, IPAddress Address), string> neighbours)
    {
        var moved = neighbours.Set.Select(s => s.Key.Address).ToHashSet();
        return neighbours.Remove.Select(n => n.Key.Address).Where(a => !moved.Contains(a)).ToHashSet();
    }

    private sealed record LinkChanges(
        Changes<WantedAddress, bool> Addresses,
        Changes<WantedRoute, bool> Routes,
        Changes<(string Link, IPAddress Address), string> Neighbours,
        Changes<(string Link, string Mac, bool Self), IPAddress?> Forwarding);
}
