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

    [Fact]
    public void A_peer_that_gets_the_first_of_its_backends_is_asked_at_once()
    {
        var idle = new ProbedPeer("n2", "node2", IPAddress.Parse("192.0.2.2"), IPAddress.Parse("10.0.0.12"), Watched: false);
        var later = TimeSpan.FromSeconds(5);
        var watch = new PeerWatch(idle, new PeerLiveness()) { NextQuestion = later };

        watch.Is(idle with { Name = "renamed" });
        Assert.Equal((later, "renamed"), (watch.NextQuestion, watch.Peer.Name));

        watch.Is(idle with { Watched = true });
        Assert.Equal(TimeSpan.Zero, watch.NextQuestion);

        watch.NextQuestion = later;
        watch.Is(idle with { Watched = true });
        Assert.Equal(later, watch.NextQuestion);
    }
}
