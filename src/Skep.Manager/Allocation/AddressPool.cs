using System.Net;
using System.Net.Sockets;
using Skep.Model.Specs;

namespace Skep.Manager.Allocation;

/// <summary>
/// The addresses of one network. They are given out in rising order and the search goes on behind the last one, so an address that
/// came free is used again as late as possible: caches of names and neighbours elsewhere have forgotten it by then.
/// </summary>
public sealed class AddressPool
{
    private const string Reserved = "";

    private readonly Dictionary<(AddressFamily Family, UInt128 Number), string> _owners = [];
    private readonly Dictionary<AddressFamily, UInt128> _last = [];

    // A full pool is not searched again until something came free: a thousand waiting tasks cost a thousand looks at this.
    private readonly HashSet<AddressFamily> _full = [];
    private IReadOnlyList<AddressRange> _ranges = [];
    private IReadOnlyList<IpamConfig> _subnets = [];

    /// <summary>IPv4 before IPv6: a task's MAC follows from its first address.</summary>
    public IEnumerable<AddressFamily> Families => _ranges.Select(r => r.Family).Distinct().Order();

    /// <summary>Nobody has an address here and there are none to give: the network is gone.</summary>
    public bool IsForgotten => _ranges.Count == 0 && _owners.Count == 0;

    /// <summary>Sets where addresses come from. Gateways and auxiliary addresses are nobody's to have.</summary>
    public void Configure(IReadOnlyList<IpamConfig> subnets)
    {
        if (_subnets.SequenceEqual(subnets))
        {
            return;
        }

        _subnets = subnets;
        _full.Clear();
        _ranges = [.. subnets.Select(RangeOf).OfType<AddressRange>()];
        foreach (var reserved in subnets.SelectMany(s => (s.AuxiliaryAddresses?.Values ?? []).Append(s.Gateway)))
        {
            if (AddressRange.Read(reserved) is { } address)
            {
                _owners[address] = Reserved;
            }
        }
    }

    /// <summary>How many addresses of the family can be had, and who has how many of them; gateways and the like are not counted.</summary>
    public (UInt128 Total, IReadOnlyList<string> Owners) Usage(AddressFamily family)
    {
        var ranges = _ranges.Where(r => r.Family == family).ToArray();
        var inside = _owners.Where(o => o.Key.Family == family && ranges.Any(r => r.Contains(o.Key.Number))).Select(o => o.Value).ToList();
        var reserved = inside.RemoveAll(owner => owner == Reserved);
        return (ranges.Aggregate(UInt128.Zero, (sum, r) => sum + r.Size) - (UInt128)reserved, [.. inside.Select(o => o.TrimStart('?'))]);
    }

    public bool Covers(string prefix) =>
        AddressRange.Read(prefix) is { } address && _ranges.Any(r => r.Family == address.Family && r.Contains(address.Number));

    public string? OwnerOf(string prefix) => AddressRange.Read(prefix) is { } address ? _owners.GetValueOrDefault(address) : null;

    /// <summary>The next free address as a prefix, now <paramref name="owner"/>'s; null when all are taken.</summary>
    public string? Take(string owner, AddressFamily family)
    {
        if (_full.Contains(family))
        {
            return null;
        }

        var last = _last.GetValueOrDefault(family);
        var ranges = _ranges.Where(r => r.Family == family).ToArray();
        // Behind the last one given out, to the end of each range; then from the beginning.
        var prefix = Find(ranges, last + 1, owner) ?? Find(ranges, 0, owner);
        if (prefix is null)
        {
            _full.Add(family);
        }

        return prefix;
    }

    /// <summary>Notes an address that stands in the store. The first owner keeps it.</summary>
    public void Hold(string owner, (AddressFamily Family, UInt128 Number) address)
    {
        if (_owners.GetValueOrDefault(address) == Doubtful(owner))
        {
            _owners[address] = owner;
        }
        else if (_owners.TryAdd(address, owner) && address.Number > _last.GetValueOrDefault(address.Family))
        {
            _last[address.Family] = address.Number;
        }
    }

    public void Release(string owner, (AddressFamily Family, UInt128 Number) address)
    {
        if (_owners.GetValueOrDefault(address) == owner)
        {
            _owners.Remove(address);
            _full.Remove(address.Family);
        }
    }

    /// <summary>Keeps an address from everybody but <paramref name="owner"/>, whose object may or may not have been stored.</summary>
    public void Doubt(string owner, (AddressFamily Family, UInt128 Number) address)
    {
        if (_owners.GetValueOrDefault(address) == owner)
        {
            _owners[address] = Doubtful(owner);
        }
    }

    public void Settle(string owner, (AddressFamily Family, UInt128 Number) address) => Release(Doubtful(owner), address);

    private static string Doubtful(string owner) => "?" + owner;

    private string? Find(AddressRange[] ranges, UInt128 from, string owner)
    {
        foreach (var range in ranges)
        {
            for (var number = UInt128.Max(range.First, from); number <= range.Last; number++)
            {
                if (_owners.TryAdd((range.Family, number), owner))
                {
                    _last[range.Family] = number;
                    return range.Prefix(number);
                }
            }
        }

        return null;
    }

    private static AddressRange? RangeOf(IpamConfig subnet)
    {
        if (!IPNetwork.TryParse(subnet.Subnet, out var network))
        {
            return null;
        }

        var range = AddressRange.Of(network);
        return IPNetwork.TryParse(subnet.IPRange, out var part) ? range.Within(part) : range;
    }
}
