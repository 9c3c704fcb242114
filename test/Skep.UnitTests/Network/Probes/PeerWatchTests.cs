using System.Net;
using Skep.Network.Probes;

namespace Skep.UnitTests.Network.Probes;

public sealed class PeerWatchTests
{
    [Fact]
    public void A_way_is_narrower_when_two_searches_in_a_row_say_the_same()
    {
        var watch = new PeerWatch(new ProbedPeer("n2", "node2", IPAddress.Parse("192.0.2.2"), IPAddress.Parse("10.0.0.12"), Watched: true), new PeerLiveness());

        Assert.False(watch.IsSure(700, before: 1500));
        Assert.False(watch.IsSure(1100, before: 1500));
        Assert.True(watch.IsSure(1500, before: 1500));
        Assert.False(watch.IsSure(1100, before: 1500));
        Assert.True(watch.IsSure(1100, before: 1500));
        Assert.True(watch.IsSure(1400, before: 1100));
    }
}
