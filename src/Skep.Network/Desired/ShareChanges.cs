namespace Skep.Network.Desired;

/// <summary>Shares that are computed anew, by namespace, gathered so that each namespace's wish changes once.</summary>
internal sealed class ShareChanges
{
    private readonly Dictionary<string, Dictionary<ShareKey, WantedShare?>> _spaces = new(StringComparer.Ordinal);

    /// <param name="space">The namespace.</param>
    /// <param name="key">What the share comes from.</param>
    /// <param name="share">Null: the object adds nothing any more.</param>
    public void Set(string space, ShareKey key, WantedShare? share)
    {
        if (!_spaces.TryGetValue(space, out var shares))
        {
            _spaces[space] = shares = [];
        }

        shares[key] = share;
    }

    /// <summary>The same for several.</summary>
    public void Set(string space, IEnumerable<ShareKey> keys, Func<ShareKey, WantedShare?> share)
    {
        foreach (var key in keys)
        {
            Set(space, key, share(key));
        }
    }

    /// <summary>A namespace's wish with its changes.</summary>
    public WantedParts Apply(WantedParts parts) => _spaces.TryGetValue(parts.Name, out var shares) ? parts.With(shares) : parts;
}
