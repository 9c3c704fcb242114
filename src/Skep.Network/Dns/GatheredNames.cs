using System.Collections.Concurrent;
using System.Net;

namespace Skep.Network.Dns;

/// <summary>
/// Names and addresses with who contributes them, so that one contributor can change by itself. What contributors say is told to queries
/// by <see cref="Publish"/>, each name at once; a query meanwhile finds it as it was or as it is.
/// </summary>
internal sealed class GatheredNames
{
    private readonly Dictionary<string, Said<IPAddress[]>> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<IPAddress, Said<string>> _addresses = [];
    private readonly Dictionary<Contributor, (string[] Names, IPAddress[] Addresses)> _contributors = [];
    private readonly ConcurrentDictionary<string, NameEntry> _forward = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<IPAddress, string> _reverse = new();
    private HashSet<string> _untoldNames = new(StringComparer.Ordinal);
    private HashSet<IPAddress> _untoldAddresses = [];

    public GatheredNames() => Forward = _forward.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Names to addresses, looked up without making a string.</summary>
    public ConcurrentDictionary<string, NameEntry>.AlternateLookup<ReadOnlySpan<char>> Forward { get; }

    public string? Reverse(IPAddress address) => _reverse.GetValueOrDefault(address);

    /// <summary>Makes room for the names of so many contributors at once: what large tables outgrow is collected dearly.</summary>
    public void MakeRoom(int contributors)
    {
        _names.EnsureCapacity(2 * contributors);
        _addresses.EnsureCapacity(contributors);
        _contributors.EnsureCapacity(contributors);
        _untoldNames.EnsureCapacity(2 * contributors);
        _untoldAddresses.EnsureCapacity(contributors);
    }

    /// <summary>Puts what a contributor says in the place of what it said before; of several names of an address the last contributor's counts.</summary>
    public void Set(Contributor contributor, Contribution said)
    {
        var (gone, left) = _contributors.GetValueOrDefault(contributor, ([], []));
        foreach (var name in gone.Where(n => !said.Names.ContainsKey(n)))
        {
            Withdraw(_names, name, contributor);
            _untoldNames.Add(name);
        }

        foreach (var address in left.Where(a => !said.Addresses.ContainsKey(a)))
        {
            Withdraw(_addresses, address, contributor);
            _untoldAddresses.Add(address);
        }

        foreach (var (name, addresses) in said.Names)
        {
            _names[name] = _names.GetValueOrDefault(name).With(contributor, addresses);
            _untoldNames.Add(name);
        }

        foreach (var (address, name) in said.Addresses)
        {
            _addresses[address] = _addresses.GetValueOrDefault(address).With(contributor, name);
            _untoldAddresses.Add(address);
        }

        if (said.IsEmpty)
        {
            _contributors.Remove(contributor);
        }
        else
        {
            _contributors[contributor] = ([.. said.Names.Keys], [.. said.Addresses.Keys]);
        }
    }

    /// <summary>Queries find what was set since the last time.</summary>
    public void Publish()
    {
        foreach (var name in _untoldNames)
        {
            Tell(name);
        }

        foreach (var address in _untoldAddresses)
        {
            Tell(address);
        }

        // Not cleared: what a whole plan needed would stay.
        (_untoldNames, _untoldAddresses) = (new(StringComparer.Ordinal), []);
    }

    private void Tell(string name)
    {
        if (_names.TryGetValue(name, out var said))
        {
            _forward[name] = NameEntry.Of(said.Count == 1 ? said.Last : said.Values.SelectMany(a => a).ToHashSet());
        }
        else
        {
            _forward.TryRemove(name, out _);
        }
    }

    private void Tell(IPAddress address)
    {
        if (_addresses.TryGetValue(address, out var said))
        {
            _reverse[address] = said.Last;
        }
        else
        {
            _reverse.TryRemove(address, out _);
        }
    }

    private static void Withdraw<TKey, TValue>(Dictionary<TKey, Said<TValue>> book, TKey key, Contributor contributor)
        where TKey : notnull
    {
        if (!book.TryGetValue(key, out var said))
        {
            return;
        }

        var rest = said.Without(contributor);
        if (rest.Count == 0)
        {
            book.Remove(key);
        }
        else
        {
            book[key] = rest;
        }
    }
}
