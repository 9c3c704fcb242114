using System.Net;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// What the shares of one namespace want together, kept up to date share by share. Covers what endpoints and services are made
/// of; links, rules, tables of their own and routes other than VIPs are for the full pass.
/// </summary>
internal sealed class ShareBook
{
    private static readonly ShareKey s_frame = new(ShareSource.Peer, "", "");

    public ShareBook(WantedParts parts)
    {
        Neighbours.MakeRoom(parts.Shares.Values.Sum(s => s.Neighbours.Length));
        Forwarding.MakeRoom(parts.Shares.Values.Sum(s => s.Forwarding.Length));
        Elements.MakeRoom(parts.Shares.Values.Sum(s => s.Elements.Length));
        Balances.MakeRoom(parts.Shares.Values.Sum(s => s.Balances.Length));
        Routes.MakeRoom(parts.Shares.Values.Sum(s => s.Routes.Length));
        foreach (var address in parts.Frame.Addresses)
        {
            Addresses.Add(s_frame, address, true);
        }

        foreach (var (key, share) in parts.Shares)
        {
            Add(key, share);
        }

        Begin();
    }

    public ClaimBook<WantedAddress, bool> Addresses { get; } = new();
    public ClaimBook<WantedRoute, bool> Routes { get; } = new();
    public ClaimBook<(string Link, IPAddress Address), string> Neighbours { get; } = new();
    public ClaimBook<(string Link, string Mac, bool Self), IPAddress?> Forwarding { get; } = new();
    public ClaimBook<(string Family, string Set, string Key), string?> Elements { get; } = new();
    public ClaimBook<(string Family, string Key), WantedBalance> Balances { get; } = new();

    /// <summary>Whether a share's change can be done by itself.</summary>
    public static bool Covers(WantedShare? share) =>
        share is null or { Links: [], Rules: [], Tables: [], EspPeers: [] }
        && (share is null || (share.Routes.All(r => r.IsLocal) && share.Balances.All(b => b.Map is null)));

    public void Replace(ShareKey key, WantedShare? before, WantedShare? after)
    {
        if (before is not null)
        {
            Remove(key, before);
        }

        if (after is not null)
        {
            Add(key, after);
        }
    }

    private void Begin()
    {
        Addresses.Begin();
        Routes.Begin();
        Neighbours.Begin();
        Forwarding.Begin();
        Elements.Begin();
        Balances.Begin();
    }

    private void Add(ShareKey key, WantedShare share)
    {
        foreach (var address in share.Addresses)
        {
            Addresses.Add(key, address, true);
        }

        foreach (var route in share.Routes.Where(r => r.IsLocal))
        {
            Routes.Add(key, route, true);
        }

        foreach (var neighbour in share.Neighbours)
        {
            Neighbours.Add(key, (neighbour.Link, neighbour.Address), neighbour.Mac);
        }

        foreach (var entry in share.Forwarding)
        {
            Forwarding.Add(key, (entry.Link, entry.Mac, entry.Vtep is not null), entry.Vtep);
        }

        foreach (var element in share.Elements)
        {
            Elements.Add(key, (element.Family, element.Set, element.Key), element.Value);
        }

        foreach (var balance in share.Balances.Where(b => b.Map is null))
        {
            Balances.Add(key, (balance.Family, balance.Key), balance);
        }
    }

    private void Remove(ShareKey key, WantedShare share)
    {
        foreach (var address in share.Addresses)
        {
            Addresses.Remove(key, address);
        }

        foreach (var route in share.Routes.Where(r => r.IsLocal))
        {
            Routes.Remove(key, route);
        }

        foreach (var neighbour in share.Neighbours)
        {
            Neighbours.Remove(key, (neighbour.Link, neighbour.Address));
        }

        foreach (var entry in share.Forwarding)
        {
            Forwarding.Remove(key, (entry.Link, entry.Mac, entry.Vtep is not null));
        }

        foreach (var element in share.Elements)
        {
            Elements.Remove(key, (element.Family, element.Set, element.Key));
        }

        foreach (var balance in share.Balances.Where(b => b.Map is null))
        {
            Balances.Remove(key, (balance.Family, balance.Key));
        }
    }
}
