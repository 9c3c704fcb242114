using Skep.Testing.Time;

namespace Skep.UnitTests.Testing;

public sealed class ManualClockTests
{
    [Fact]
    public async Task A_delay_ends_when_its_time_has_come_and_not_before()
    {
        var clock = new ManualClock();
        var delay = Task.Delay(TimeSpan.FromSeconds(5), clock, TestContext.Current.CancellationToken);
        clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(delay.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.1));
        await delay;
    }

    [Fact]
    public void A_periodic_timer_fires_at_each_of_its_times()
    {
        var clock = new ManualClock();
        var times = new List<TimeSpan>();
        var start = clock.GetUtcNow();
        using var timer = clock.CreateTimer(_ => times.Add(clock.GetUtcNow() - start), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(5)], times);
        Assert.Equal(start + TimeSpan.FromSeconds(7), clock.NextDue);
    }

    [Fact]
    public async Task Waiting_for_a_timer_ends_when_it_is_armed()
    {
        var clock = new ManualClock();
        var armed = clock.UntilArmedAsync(1, TestContext.Current.CancellationToken);
        Assert.False(armed.IsCompleted);
        using var timer = clock.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        await armed;
    }
}
