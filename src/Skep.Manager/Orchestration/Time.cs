namespace Skep.Manager.Orchestration;

internal static class Time
{
    /// <summary>The Engine API's durations are nanoseconds; a clock tick is a hundred of them.</summary>
    public static TimeSpan Span(long nanoseconds) => TimeSpan.FromTicks(nanoseconds / 100);
}
