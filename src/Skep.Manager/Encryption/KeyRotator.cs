using Microsoft.Extensions.Logging;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Rules;

namespace Skep.Manager.Encryption;

/// <summary>Takes the steps of <see cref="KeyRotation"/> while this manager leads. Without an encrypted network there are no keys.</summary>
/// <param name="store">Where the keys lie, wrapped.</param>
/// <param name="seal">Wraps them.</param>
/// <param name="confirmed">Whether every node that takes part has the keys of a view.</param>
/// <param name="clock">Decides when a key is old.</param>
/// <param name="log">Tells of every step.</param>
public sealed class KeyRotator(IClusterStore store, KeyringSeal seal, Func<StoreView, bool> confirmed, TimeProvider clock, ILogger<KeyRotator> log)
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(250);

    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(s_look, clock);
        try
        {
            do
            {
                await StepAsync(stopping);
            }
            while (await timer.WaitForNextTickAsync(stopping));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private async Task StepAsync(CancellationToken stopping)
    {
        try
        {
            ClusterKeyring? taken = null;
            await store.EditAsync(view => Changes(view, out taken), stopping);
            if (taken is not null)
            {
                log.KeysChanged(taken.Keys.Count, taken.Sending);
            }
        }
        catch (ClusterException away) when (away.Kind is ErrorKind.Unavailable or ErrorKind.DeadlineExceeded)
        {
            log.KeysUnwritten(away.Message);
        }
    }

    private StoreTransaction Changes(StoreView view, out ClusterKeyring? taken)
    {
        taken = null;
        var transaction = new StoreTransaction { LeaderOnly = true };
        if (view.Cluster is not { } cluster || !view.Networks.Values.Any(n => EncryptionRules.IsEncrypted(n.Spec)))
        {
            return transaction;
        }

        var now = clock.GetUtcNow();
        var period = EncryptionRules.Period(cluster.Spec, view.Networks.Values.Select(n => n.Spec)) ?? KeyRotation.DefaultPeriod;
        taken = KeyRotation.Next(cluster.Keyring, now, period, () => confirmed(view), () => seal.Make(now));
        if (taken is not null)
        {
            if (cluster.Keyring is { Keys.Count: > 1 } ring && now - ring.ChangedAt >= KeyRotation.Patience && !confirmed(view))
            {
                log.NodesNotWaitedFor();
            }

            transaction.Update(cluster with { Keyring = taken, UpdatedAt = now });
        }

        return transaction;
    }
}
