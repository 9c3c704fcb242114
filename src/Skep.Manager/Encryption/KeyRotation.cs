using Skep.Model.Objects;

namespace Skep.Manager.Encryption;

/// <summary>
/// The steps by which a key takes the place of another without a lost packet: nodes learn to receive with it, then send with it, then
/// the old one goes. A total function of what is and what nodes have confirmed.
/// </summary>
public static class KeyRotation
{
    /// <summary>How old a key gets.</summary>
    public static readonly TimeSpan DefaultPeriod = TimeSpan.FromHours(12);

    /// <summary>Packets that were sent with the old key have arrived by then, when every node sends with the new one.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>A node that has not confirmed a step by then is not waited for any more.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>The ring after the next step that is due; null = none is.</summary>
    /// <param name="ring">Null before the first key.</param>
    /// <param name="now">The time.</param>
    /// <param name="period">How old a key may get.</param>
    /// <param name="confirmed">Whether every node that takes part has the ring as it is; asked when that decides.</param>
    /// <param name="make">Makes a key.</param>
    public static ClusterKeyring? Next(ClusterKeyring? ring, DateTimeOffset now, TimeSpan period, Func<bool> confirmed, Func<ClusterKey> make)
    {
        if (ring is not { Keys: [.., var newest] })
        {
            var first = make();
            return new ClusterKeyring { Keys = [first], Sending = first.Id, ChangedAt = now };
        }

        var age = now - ring.ChangedAt;
        if (ring.Sending != newest.Id)
        {
            return age >= Patience || confirmed() ? ring with { Sending = newest.Id, ChangedAt = now } : null;
        }

        if (ring.Keys.Count > 1)
        {
            return age >= Patience || (age >= Grace && confirmed()) ? ring with { Keys = [newest], ChangedAt = now } : null;
        }

        return now - newest.MadeAt >= period ? ring with { Keys = [newest, make()], ChangedAt = now } : null;
    }
}
