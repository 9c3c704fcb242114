using Skep.Network.Probes;

namespace Skep.UnitTests.Network.Probes;

public sealed class PeerLivenessTests
{
    private readonly PeerLiveness _peer = new();

    [Fact]
    public void Three_questions_without_an_answer_and_the_patience_make_a_peer_silent()
    {
        Answered(0);
        Assert.False(_peer.Ask(At(0.2)));
        Assert.False(_peer.Ask(At(0.4)));
        Assert.False(_peer.Ask(At(0.6)));
        Assert.True(_peer.Ask(At(0.81)));
        Assert.False(_peer.Ask(At(1)));
        Assert.True(_peer.Silent);
        Assert.Equal(At(0.2), _peer.SilentSince);

        Assert.True(_peer.Answer(At(1), At(1.1)));
        Assert.False(_peer.Silent);
        Assert.False(_peer.Answer(At(1.2), At(1.3)));
    }

    [Fact]
    public void A_peer_that_was_silent_before_this_daemon_is_back_with_its_first_answer()
    {
        var peer = PeerLiveness.SilentAt(At(0));
        Assert.False(peer.Ask(At(0.2)));
        peer.Excuse();
        Assert.True(peer.Silent);
        Assert.Equal(At(0), peer.SilentSince);
        Assert.True(peer.Answer(At(0.2), At(0.3)));
    }

    [Fact]
    public void A_peer_whose_answers_take_long_gets_more_time()
    {
        _peer.Ask(At(0));
        _peer.Answer(At(0), At(0.5));
        for (var at = 1.0; at < 3.4; at += 0.2)
        {
            Assert.False(_peer.Ask(At(at)), $"silent at {at}");
        }

        Assert.True(_peer.Ask(At(3.7)));
    }

    [Fact]
    public void A_peer_that_never_answered_may_still_be_making_its_network()
    {
        for (var at = 0.0; at < 5; at += 0.2)
        {
            Assert.False(_peer.Ask(At(at)));
        }

        Assert.True(_peer.Ask(At(5.1)));
    }

    [Fact]
    public void What_this_node_did_not_hear_while_it_was_asleep_is_no_proof()
    {
        Answered(0);
        _peer.Ask(At(0.2));
        _peer.Ask(At(0.4));
        _peer.Ask(At(0.6));
        _peer.Excuse();
        Assert.False(_peer.Ask(At(3)));
        Assert.False(_peer.Ask(At(3.2)));
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private void Answered(double at)
    {
        _peer.Ask(At(at));
        _peer.Answer(At(at), At(at));
    }
}
