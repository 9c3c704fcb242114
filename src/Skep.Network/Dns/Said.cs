namespace Skep.Network.Dns;

/// <summary>
/// What contributors say about one name, in their order. A value; nearly always of one contributor, so it is an array and not a tree.
/// The default says nothing.
/// </summary>
internal readonly struct Said<T>
{
    private readonly (Contributor By, T What)[]? _all;

    private Said((Contributor By, T What)[] all) => _all = all;

    public int Count => _all?.Length ?? 0;

    /// <summary>What the last contributor says; there must be one.</summary>
    public T Last => _all![^1].What;

    public IEnumerable<T> Values => (_all ?? []).Select(s => s.What);

    public Said<T> With(Contributor by, T what)
    {
        var all = _all ?? [];
        var at = Find(all, by);
        return at >= 0
            ? new([.. all.AsSpan(0, at), (by, what), .. all.AsSpan(at + 1)])
            : new([.. all.AsSpan(0, ~at), (by, what), .. all.AsSpan(~at)]);
    }

    public Said<T> Without(Contributor by)
    {
        var all = _all ?? [];
        var at = Find(all, by);
        return at >= 0 ? new([.. all.AsSpan(0, at), .. all.AsSpan(at + 1)]) : this;
    }

    // Where it stands, or the complement of where it belongs.
    private static int Find((Contributor By, T What)[] all, Contributor by)
    {
        var (low, high) = (0, all.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            switch (all[middle].By.CompareTo(by))
            {
                case 0:
                    return middle;
                case < 0:
                    low = middle + 1;
                    break;
                default:
                    high = middle - 1;
                    break;
            }
        }

        return ~low;
    }
}
