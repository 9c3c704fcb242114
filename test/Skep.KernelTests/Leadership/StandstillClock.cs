namespace Skep.KernelTests.Leadership;

/// <summary>The clock of a machine that stands still for an hour once it was read so many times; its timers go on.</summary>
internal sealed class StandstillClock(int callsBefore) : TimeProvider
{
    private int _calls;

    public override long GetTimestamp() =>
        base.GetTimestamp() + (Interlocked.Increment(ref _calls) > callsBefore ? TimestampFrequency * 3600 : 0);
}
