using System.Net;

namespace Skep.Network.Dns;

/// <summary>What one contributor says. Used again for the next one: a plan has tens of thousands.</summary>
internal sealed class Contribution
{
    private readonly Dictionary<string, IPAddress[]> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<IPAddress, string> _addresses = [];

    /// <summary>Lower case.</summary>
    public IReadOnlyDictionary<string, IPAddress[]> Names => _names;

    public IReadOnlyDictionary<IPAddress, string> Addresses => _addresses;

    public bool IsEmpty => _names.Count == 0 && _addresses.Count == 0;

    public void Clear()
    {
        _names.Clear();
        _addresses.Clear();
    }

    /// <summary>A name may be said twice (an alias like the name itself).</summary>
    public void Add(string name, IPAddress[] addresses)
    {
        var key = name.ToLowerInvariant();
        _names[key] = _names.TryGetValue(key, out var known) ? [.. known.Union(addresses)] : addresses;
    }

    public void AddReverse(IPAddress address, string name) => _addresses[address] = name;
}
