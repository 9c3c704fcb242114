using System.Net;
using Skep.Network.Desired;
using Skep.Network.Reconcile;

namespace Skep.UnitTests.Network;

public sealed class EspBookTests
{
    private static readonly IPAddress s_here = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress s_there = IPAddress.Parse("192.0.2.2");
    private static readonly (IPAddress, uint) s_sending = (s_there, 0x8000_0001);

    [Fact]
    public void States_of_a_peer_that_is_away_stay_while_their_key_is_in_use()
    {
        var book = new EspBook();
        book.Made(With("key1"));

        Assert.True(book.Spares(Without("key1", "key2"), s_here, s_there, 0x8000_0001));
        Assert.True(book.Spares(Without("key1", "key2"), s_there, s_here, 0x8000_0002));
        Assert.False(book.Spares(Without("key2"), s_here, s_there, 0x8000_0001));
        Assert.False(book.Spares(Without("key1"), s_here, s_there, 0x8000_0009));
    }

    [Fact]
    public void States_that_a_present_peer_has_no_more_do_not_stay()
    {
        var book = new EspBook();
        book.Made(With("key1"));
        var rebooted = With("key1") with { Peers = [With("key1").Peers[0] with { States = [] }] };

        Assert.False(book.Spares(rebooted, s_here, s_there, 0x8000_0001));
    }

    [Fact]
    public void A_state_that_is_made_again_is_known_until_its_key_is_gone()
    {
        var book = new EspBook();
        Assert.False(book.Knows([s_sending]));
        book.Made(With("key1"));
        book.Removed(Without("key1"), [s_sending]);
        Assert.True(book.Knows([s_sending]));

        book.Removed(Without("key2"), []);
        Assert.False(book.Knows([s_sending]));
    }

    [Fact]
    public void A_state_that_an_earlier_daemon_made_is_known_when_it_comes_back()
    {
        var book = new EspBook();
        book.Removed(Without("key1"), [s_sending]);

        Assert.True(book.Knows([s_sending]));
        Assert.False(book.Spares(Without("key1"), s_here, s_there, 0x8000_0001));
    }

    private static WantedEsp Without(params string[] keys) => new(4790, KeysKnown: true) { Keys = [.. keys] };

    private static WantedEsp With(string key) => Without(key) with
    {
        Peers =
        [
            new WantedEspPeer(s_here, s_there, 0x8000_0001,
            [
                new WantedEspState(s_there, s_here, 0x8000_0002, new EspSecret([1])) { KeyId = key },
                new WantedEspState(s_here, s_there, 0x8000_0001, new EspSecret([2])) { KeyId = key },
            ]),
        ],
    };
}
