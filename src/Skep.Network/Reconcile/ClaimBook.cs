using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// Who wants which thing, and in which form. Of several that want it the first has it. From <see cref="Begin"/> on it notes what becomes
/// different until the next <see cref="Changes"/>.
/// </summary>
internal sealed class ClaimBook<TKey, TValue>
    where TKey : notnull
{
    private readonly Dictionary<TKey, Claim> _claims = [];
    private Dictionary<TKey, (bool Was, TValue? Before)>? _touched;

    public void Begin() => _touched = [];

    /// <summary>Makes room for so many things at once: what large tables outgrow is collected dearly.</summary>
    public void MakeRoom(int things) => _claims.EnsureCapacity(things);

    /// <summary>Whether anybody wants a thing, and in which form.</summary>
    public bool TryGet(TKey key, out TValue? value)
    {
        var there = _claims.TryGetValue(key, out var claim);
        value = there ? claim!.Value : default;
        return there;
    }

    public void Add(ShareKey owner, TKey key, TValue value)
    {
        Touch(key);
        _claims[key] = _claims.TryGetValue(key, out var claim) ? claim.With(owner, value) : new Claim(owner, value, null);
    }

    public void Remove(ShareKey owner, TKey key)
    {
        Touch(key);
        if (_claims.TryGetValue(key, out var claim))
        {
            if (claim.Without(owner) is { } rest)
            {
                _claims[key] = rest;
            }
            else
            {
                _claims.Remove(key);
            }
        }
    }

    /// <summary>What has to be set, and what has to go with the value that it had.</summary>
    public Changes<TKey, TValue> Changes()
    {
        var set = new List<KeyValuePair<TKey, TValue>>();
        var remove = new List<KeyValuePair<TKey, TValue>>();
        var different = new HashSet<TKey>();
        foreach (var (key, (was, before)) in _touched ?? [])
        {
            if (!_claims.TryGetValue(key, out var claim))
            {
                if (was)
                {
                    remove.Add(new(key, before!));
                }
            }
            else if (!was || !EqualityComparer<TValue>.Default.Equals(claim.Value, before))
            {
                set.Add(new(key, claim.Value));
                if (was)
                {
                    different.Add(key);
                }
            }
        }

        // Not cleared: what a large change needed would stay.
        _touched = [];
        return new(set, remove) { Different = different };
    }

    private void Touch(TKey key)
    {
        if (_touched is not null && !_touched.ContainsKey(key))
        {
            _touched[key] = _claims.TryGetValue(key, out var claim) ? (true, claim.Value) : (false, default);
        }
    }

    // Nearly everything has one owner.
    private sealed record Claim(ShareKey Owner, TValue Value, Claim? Next)
    {
        public Claim With(ShareKey owner, TValue value) =>
            owner <= Owner ? new Claim(owner, value, this) : this with { Next = Next?.With(owner, value) ?? new Claim(owner, value, null) };

        public Claim? Without(ShareKey owner) => owner == Owner ? Next : this with { Next = Next?.Without(owner) };
    }
}
