namespace Skep.Network;

/// <summary>How long after a failed pass the next try comes: what goes by itself is over soon, and what stays must not keep the node busy.</summary>
internal sealed class RetryPace
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(5);

    private TimeSpan _next = s_first;

    /// <summary>Twice as long each time.</summary>
    public TimeSpan Next()
    {
        var next = _next;
        _next = next * 2 < s_longest ? next * 2 : s_longest;
        return next;
    }

    /// <summary>A pass was good.</summary>
    public void Reset() => _next = s_first;
}
