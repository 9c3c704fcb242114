using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Network.Desired;
using Skep.Network.Dns;
using Skep.Network.Local;
using Skep.Network.Reconcile;

namespace Skep.Network;

/// <summary>When the kernel is looked at, and what follows from a look: names, the revision applied, another look.</summary>
internal sealed class PassLoop(
    NodeNetworkOptions options, NodeWishes wishes, StateKeeper kept, KernelKeeper kernel, PublishedPorts ports, INameServer names, ILogger logger)
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(25);

    private readonly RetryPace _pace = new();
    private readonly PassGate _ended = new();
    private int _due;
    private int _portsDue;
    private int _retrying;
    private bool _sequencesLost;

    /// <summary>Asks for passes; made before the loop, for all who ask.</summary>
    public required Coalescer Signals { get; init; }

    /// <summary>Begins a new part of this node in the keys of what it sends.</summary>
    public required Action RenewCipherGeneration { get; init; }

    /// <summary>The newest plan that the kernel holds completely; null before the first.</summary>
    public NodePlan? Published { get; private set; }

    /// <summary>Its revision.</summary>
    public Watched<ulong> AppliedRevision { get; } = new(0, (next, now) => next != now);

    /// <summary>The published ports that need a relay.</summary>
    public RelayedPorts Relayed { get; } = new(options);

    /// <summary>Bursts of signals become passes.</summary>
    public static Coalescer NewSignals(TimeProvider clock) => new(clock, s_quiet, s_longest);

    public async Task RunAsync(CancellationToken stopping)
    {
        Signals.Signal();
        await Together.RunAsync(
            stopping,
            ending => Signals.RunAsync(PassAsync, ending),
            ending => TickAsync(options.SettingsPeriod, SpaceParts.Settings, ending),
            ending => TickAsync(options.FullPassPeriod, SpaceParts.All, ending));
    }

    /// <summary>Waits until a pass has seen that wish and none of the named namespaces failed in it.</summary>
    public Task WaitAsync(long wish, Func<string, bool> concerns, CancellationToken cancellationToken) => _ended.WaitAsync(wish, concerns, cancellationToken);

    /// <summary>Waits until a pass has seen that wish and did all that it began; containers may wait for a disk.</summary>
    public Task WaitAsync(long wish, CancellationToken cancellationToken) => _ended.WaitAsync(wish, cancellationToken);

    /// <summary>The next pass reads everything back.</summary>
    public void TouchAll() => Interlocked.Or(ref _due, (int)SpaceParts.All);

    /// <summary>A program may have let go of a published port.</summary>
    public void RetryPorts()
    {
        Interlocked.Exchange(ref _portsDue, 1);
        Signals.Signal();
    }

    private async Task PassAsync(CancellationToken stopping)
    {
        if (wishes.Take() is not { } input)
        {
            return;
        }

        var due = (SpaceParts)Interlocked.Exchange(ref _due, 0);
        var again = Interlocked.Exchange(ref _portsDue, 0) != 0 || due.HasFlag(SpaceParts.Routing);
        kernel.Touch(due);

        using var growth = UnbrokenGrowth.From(kernel.ComputedPlan, input.View.Plan);
        var failed = ImmutableDictionary<string, Exception>.Empty;
        var waiting = failed;
        try
        {
            var (local, unsaved) = kept.Commit(input.Local);
            waiting = unsaved is null ? waiting : input.Local.NotIn(local).ToImmutableDictionary(s => s.SpaceName, _ => (Exception)unsaved);
            input = input with
            {
                Local = local,
                Delta = Delta(input),
                View = input.View with { Sandboxes = local.Sandboxes, HeldPorts = ports.Hold(input.Leaving ? NodePlan.Empty : input.View.Plan, again) },
            };
            var named = Task.Run(() => names.Prepare(input.View.Plan, input.Delta), CancellationToken.None);
            failed = await kernel.ApplyAsync(input, due, stopping);
            await named;
            if (failed.IsEmpty && !input.Leaving)
            {
                await kernel.ReleaseDatagramsAsync(input.View, Published, input.Delta, stopping);
            }
        }
        catch (Exception failure) when (!stopping.IsCancellationRequested)
        {
            logger.PassFailed(failure);
            failed = failed.Add(WantedSpace.Host, failure);
        }

        RenewLostSequences(input.Leaving);
        if (failed.IsEmpty)
        {
            _pace.Reset();
            Publish(input, due);
        }
        else
        {
            _ = RetryAsync(input, stopping);
        }

        _ended.Ended(input.Wish, failed, waiting);
    }

    // What cannot be kept now is tried again by the passes to come. A node that leaves keeps nothing.
    private void RenewLostSequences(bool leaving)
    {
        _sequencesLost |= kernel.TakeLostSequences();
        if (!_sequencesLost || leaving)
        {
            return;
        }

        try
        {
            RenewCipherGeneration();
            _sequencesLost = false;
            logger.CipherGenerationRenewed();
        }
        catch (IOException full)
        {
            logger.CipherGenerationNotSaved(full.Message);
        }
    }

    // Names and drains follow the last plan that the kernel held, which may be an older one than the last computed. A plan from elsewhere is
    // mostly the same one again.
    private PlanDelta? Delta(PassInput input) =>
        Published is null || !ReferenceEquals(Published, kernel.ComputedPlan) ? null
        : input.Delta ?? (ReferenceEquals(Published, input.View.Plan) ? null : PlanComparison.Between(Published, input.View.Plan));

    private void Publish(PassInput input, SpaceParts due)
    {
        if (!ReferenceEquals(input.View.Plan, Published))
        {
            names.Update(input.View.Plan, input.Delta);
            if (!input.Leaving)
            {
                kept.NoteDrained(input.View.Plan, input.Delta);
            }

            Published = input.View.Plan;
            Relayed.Update(Published);
            AppliedRevision.TryPublish(Published.Revision);
            logger.Applied(Published.Revision);
        }

        if (due != SpaceParts.None && !input.Leaving)
        {
            kept.Keep(Published);
        }
    }

    private async Task RetryAsync(PassInput failed, CancellationToken stopping)
    {
        wishes.GiveBack(failed);

        // Passes fail for other signals too while one waits to be tried again; were each to wait for itself, they would come ever faster.
        if (Interlocked.Exchange(ref _retrying, 1) != 0)
        {
            return;
        }

        try
        {
            await Task.Delay(_pace.Next(), options.Clock, stopping);
            Interlocked.Exchange(ref _retrying, 0);
            TouchAll();
            Signals.Signal();
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task TickAsync(TimeSpan period, SpaceParts parts, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(period, options.Clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            Interlocked.Or(ref _due, (int)parts);
            Signals.Signal();
        }
    }
}
