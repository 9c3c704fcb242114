namespace Skep.Network.Ejection;

/// <summary>When a backend that refused is tried again.</summary>
internal static class TrialSchedule
{
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(500);
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>
    /// After a quarter of the time that it has been out, within the two limits: whoever was away for a short time is back soon, and
    /// whoever stays away is asked seldom. So a backend comes back late by a quarter of its absence at most.
    /// </summary>
    public static TimeSpan Wait(TimeSpan away)
    {
        var quarter = away / 4;
        return quarter < Shortest ? Shortest : quarter > Longest ? Longest : quarter;
    }
}
