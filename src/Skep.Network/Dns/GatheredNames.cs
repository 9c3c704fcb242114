using System.Collections.Concurrent;
using System.Net;

namespace Skep.Network.Dns;

/// <summary>
/// Names and addresses with who contributes them, so that one contributor can change by itself. A query reads while a change is
/// made and finds each name either as it was or as it is.
/// </summary>
internal sealed class GatheredNames
{
    private static readonly (IReadOnlyList<string>, IReadOnlyList<IPAddress>) s_nothing = ([], []);

    private readonly Dictionary<string, SortedDictionary<string, IReadOnlyCollection<IPAddress>>> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<IPAddress, SortedDictionary<string, string>> _addresses = [];
    private readonly Dictionary<string, (IReadOnlyList<string> Names, IReadOnlyList<IPAddress> Addresses)> _contributors = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, NameEntry> _forward = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<IPAddress, string> _reverse = new();

    public GatheredNames() => Forward = _forward.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Names to addresses, looked up without making a string.</summary>
    public ConcurrentDictionary<string, NameEntry>.AlternateLookup<ReadOnlySpan<char>> Forward { get; }

    public string? Reverse(IPAddress address) => _reverse.GetValueOrDefault(address);

    /// <summary>Puts what a contributor says in the place of what it said before; of several names of an address the last contributor's counts.</summary>
    public void Set(string contributor, IReadOnlyDictionary<string, HashSet<IPAddress>> names, IReadOnlyDictionary<IPAddress, string> reverse)
    {
        var (gone, left) = _contributors.GetValueOrDefault(contributor, s_nothing);
        foreach (var name in gone.Where(n => !names.ContainsKey(n)))
        {
            Withdraw(_names, name, contributor);
            Tell(name);
        }

        foreach (var address in left.Where(a => !reverse.ContainsKey(a)))
        {
            Withdraw(_addresses, address, contributor);
            Tell(address);
        }

        foreach (var (name, addresses) in names)
        {
            Contribute(_names, name, contributor, (IReadOnlyCollection<IPAddress>)addresses);
            Tell(name);
        }

        foreach (var (address, name) in reverse)
        {
            Contribute(_addresses, address, contributor, name);
            Tell(address);
        }

        if (names.Count == 0 && reverse.Count == 0)
        {
            _contributors.Remove(contributor);
        }
        else
        {
            _contributors[contributor] = ([.. names.Keys], [.. reverse.Keys]);
        }
    }

    private void Tell(string name)
    {
        if (_names.TryGetValue(name, out var said))
        {
            _forward[name] = NameEntry.Of(said.Count == 1 ? said.First().Value : said.Values.SelectMany(a => a).ToHashSet());
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
            _reverse[address] = said.Last().Value;
        }
        else
        {
            _reverse.TryRemove(address, out _);
        }
    }

    private static void Contribute<TKey, TValue>(Dictionary<TKey, SortedDictionary<string, TValue>> book, TKey key, string contributor, TValue value)
        where TKey : notnull
    {
        if (!book.TryGetValue(key, out var said))
        {
            book[key] = said = new SortedDictionary<string, TValue>(StringComparer.Ordinal);
        }

        said[contributor] = value;
    }

    private static void Withdraw<TKey, TValue>(Dictionary<TKey, SortedDictionary<string, TValue>> book, TKey key, string contributor)
        where TKey : notnull
    {
        if (book.TryGetValue(key, out var said) && said.Remove(contributor) && said.Count == 0)
        {
            book.Remove(key);
        }
    }
}
