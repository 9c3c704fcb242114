using System.Collections.Immutable;

namespace Skep.Network.Desired;

/// <summary>The shares of one namespace while they are gathered; empty ones are left out.</summary>
internal sealed class ShareSet
{
    private readonly ImmutableSortedDictionary<ShareKey, WantedShare>.Builder _shares = ImmutableSortedDictionary.CreateBuilder<ShareKey, WantedShare>();

    public void Add(ShareKey key, WantedShare share)
    {
        if (!share.IsEmpty)
        {
            _shares[key] = share;
        }
    }

    /// <summary>A share for each object, by its id.</summary>
    public void AddAll<T>(ShareSource source, string networkId, IEnumerable<KeyValuePair<string, T>> objects, Func<T, WantedShare> share)
    {
        foreach (var (id, value) in objects)
        {
            Add(new ShareKey(source, networkId, id), share(value));
        }
    }

    public ImmutableSortedDictionary<ShareKey, WantedShare> ToImmutable() => _shares.ToImmutable();
}
