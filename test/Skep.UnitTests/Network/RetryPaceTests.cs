using Skep.Network;

namespace Skep.UnitTests.Network;

public sealed class RetryPaceTests
{
    [Fact]
    public void Each_failure_doubles_the_wait_up_to_five_seconds_and_success_begins_anew()
    {
        var pace = new RetryPace();
        Assert.Equal([100, 200, 400, 800, 1600, 3200, 5000, 5000], Enumerable.Range(0, 8).Select(_ => pace.Next().TotalMilliseconds));
        pace.Reset();
        Assert.Equal(100, pace.Next().TotalMilliseconds);
    }
}
