using Skep.Manager.Encryption;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;

namespace Skep.UnitTests.Manager.Encryption;

public sealed class KeyRotationTests
{
    private static readonly DateTimeOffset s_start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private int _made;

    [Fact]
    public void A_key_is_received_before_it_is_sent_with_and_the_old_one_goes_last()
    {
        var ring = Next(null, 0, confirmed: false)!;
        Assert.Equal((1, "key1"), (ring.Keys.Count, ring.Sending));
        Assert.Null(Next(ring, 12 * 3600 - 1, confirmed: true));

        ring = Next(ring, 12 * 3600, confirmed: true)!;
        Assert.Equal((2, "key1"), (ring.Keys.Count, ring.Sending));
        Assert.Null(Next(ring, 12 * 3600 + 1, confirmed: false));

        ring = Next(ring, 12 * 3600 + 1, confirmed: true)!;
        Assert.Equal((2, "key2"), (ring.Keys.Count, ring.Sending));
        Assert.Null(Next(ring, 12 * 3600 + 2, confirmed: true));
        Assert.Null(Next(ring, 12 * 3600 + 60, confirmed: false));

        ring = Next(ring, 12 * 3600 + 6, confirmed: true)!;
        Assert.Equal("key2", Assert.Single(ring.Keys).Id);
        Assert.Null(Next(ring, 12 * 3600 + 60, confirmed: true));
    }

    [Fact]
    public void A_node_that_never_confirms_is_waited_for_for_a_bounded_time()
    {
        var ring = Next(Next(null, 0, confirmed: false), 12 * 3600, confirmed: false)!;
        var patience = (int)KeyRotation.Patience.TotalSeconds;
        Assert.Null(Next(ring, 12 * 3600 + patience - 1, confirmed: false));

        ring = Next(ring, 12 * 3600 + patience, confirmed: false)!;
        Assert.Equal("key2", ring.Sending);
        Assert.Single(Next(ring, 12 * 3600 + (2 * patience), confirmed: false)!.Keys);
    }

    [Fact]
    public void The_shortest_period_of_the_swarm_and_its_encrypted_networks_counts()
    {
        NetworkSpec Network(string? period, bool encrypted = true) => new()
        {
            Name = "n",
            Labels = period is null ? new Dictionary<string, string>() : new Dictionary<string, string> { [EncryptionRules.RotationLabel] = period },
            DriverConfiguration = new Driver { Name = "overlay", Options = encrypted ? new Dictionary<string, string> { ["encrypted"] = "" } : null },
        };

        Assert.Null(EncryptionRules.Period(new ClusterSpec(), [Network(null)]));
        Assert.Equal(TimeSpan.FromHours(1), EncryptionRules.Period(new ClusterSpec(), [Network("2h"), Network("1h"), Network("1m", encrypted: false)]));
        Assert.Contains("label skep.encryption.rotation is \"often\"", EncryptionRules.Check(Network("often")).Single().ToString(), StringComparison.Ordinal);
    }

    private ClusterKeyring? Next(ClusterKeyring? ring, int seconds, bool confirmed)
    {
        var now = s_start.AddSeconds(seconds);
        return KeyRotation.Next(ring, now, KeyRotation.DefaultPeriod, () => confirmed, () => new ClusterKey($"key{++_made}", [], now));
    }
}
