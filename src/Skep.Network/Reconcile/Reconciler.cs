using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Skep.Kernel.NfLog;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// Brings the kernel to the wanted state: reads back, computes what differs, adds before it removes. The only code that changes
/// the kernel. One pass at a time; a namespace that failed is looked at in full by the next.
/// </summary>
internal sealed class Reconciler(NodeNetworkOptions options, Action noticed, Action<string, LoggedPacket> told, RepairJournal journal, ILogger logger) : IDisposable
{
    private readonly Spaces _spaces = new(options, noticed, told, logger);

    // Namespaces that were wanted once and are not gone yet.
    private readonly HashSet<string> _kept = new(StringComparer.Ordinal);

    /// <summary>Looks at every namespace whose wish changed or that somebody touched. Returns the names of those that failed.</summary>
    public async Task<ImmutableDictionary<string, Exception>> ApplyAsync(WantedNode wanted, bool sweep, CancellationToken cancellationToken)
    {
        var failed = ImmutableDictionary.CreateBuilder<string, Exception>(StringComparer.Ordinal);
        Try(failed, WantedSpace.Host, () =>
        {
            foreach (var space in wanted.Spaces)
            {
                if (!_spaces.TryGet(space.Name, out _))
                {
                    _spaces.Ensure(space.Name);
                }

                _kept.Add(space.Name);
            }
        });
        // What changed comes before what is only looked at: an endpoint does not wait until the rest of the node is read. Whatever needs more
        // than its shares changed, and all that comes after it, keeps the order of the spaces: what is led to is there first.
        var changed = new HashSet<string>(StringComparer.Ordinal);
        var spaces = InOrder(wanted);
        foreach (var space in spaces.Where(s => !IsHeld(s)))
        {
            await TryAsync(failed, space, async () => _ = await TryChangeAsync(space, cancellationToken) && changed.Add(space.Name), cancellationToken);
            if (!changed.Contains(space.Name))
            {
                break;
            }
        }

        if (spaces.All(IsHeld))
        {
            Finish(failed);
        }

        foreach (var space in spaces.Where(s => !failed.ContainsKey(s.Name)))
        {
            await TryAsync(failed, space, () => ApplyAsync(space, sweep, changed.Contains(space.Name), cancellationToken), cancellationToken);
        }

        Finish(failed);

        foreach (var name in Unwanted(wanted, sweep))
        {
            Try(failed, name, () =>
            {
                _spaces.Remove(name);
                _kept.Remove(name);
                logger.SpaceRemoved(name);
            });
        }

        if (failed.Count == 0 && wanted.Spaces.All(s => s.Frame.Esp is null))
        {
            Try(failed, WantedSpace.Host, () => EspStep.Remove(_spaces.Host));
        }

        return failed.ToImmutable();
    }

    /// <summary>Marks parts of every namespace for the next pass; a namespace that is not at its path any more is marked as a whole.</summary>
    public void Touch(SpaceParts parts)
    {
        foreach (var space in _spaces.Open)
        {
            space.Touch(_spaces.IsMounted(space) ? parts : SpaceParts.All);
        }
    }

    /// <summary>Datagrams to these addresses go elsewhere from now on; answers from them still arrive.</summary>
    public Task ReleaseAsync(string name, IReadOnlySet<System.Net.IPAddress> draining, CancellationToken cancellationToken) =>
        _spaces.TryGet(name, out var space) ? DatagramStep.ReleaseAsync(space, draining, logger, cancellationToken) : Task.CompletedTask;

    /// <summary>Whether states to send encrypted with were lost since it was last asked.</summary>
    public bool TakeLostSequences()
    {
        var lost = _spaces.Host.LostSequences;
        _spaces.Host.LostSequences = false;
        return lost;
    }

    /// <summary>The number by which socket programs know a namespace; null when it is not there.</summary>
    public ulong? CookieOf(string name) => _spaces.TryGet(name, out var space) ? space.Cookie : null;

    public void Dispose() => _spaces.Dispose();

    // The host's rules come before the networks' tunnels, which they guard. But its balancers lead into the ingress network: once that is there, it
    // is first. The cable between them is the host's to make.
    private ImmutableArray<WantedParts> InOrder(WantedNode wanted)
    {
        var ingress = wanted.Spaces.Where(s => s.Name.Length == 0).SelectMany(s => s.Frame.Links).FirstOrDefault(l => l.Name == HostMesh.Link)?.FarEnd?.Space;
        return ingress is not null && _spaces.TryGet(ingress, out var space) && space.AppliedParts is not null
            && (!_spaces.Host.IsTouched || space.Routes.FindLink(HostMesh.Port) is not null)
            ? [.. wanted.Spaces.OrderBy(s => s.Name == ingress ? 0 : 1)]
            : wanted.Spaces;
    }

    private void Finish(ImmutableDictionary<string, Exception>.Builder failed)
    {
        for (var left = _spaces.Afterwards.Count; left > 0; left--)
        {
            var action = _spaces.Afterwards.Dequeue();
            // What failed is done by the next pass.
            if (!Try(failed, WantedSpace.Host, action))
            {
                _spaces.Afterwards.Enqueue(action);
            }
        }
    }

    private bool IsHeld(WantedParts wanted) => _spaces.TryGet(wanted.Name, out var space) && ReferenceEquals(space.AppliedParts, wanted);

    /// <summary>Opens the namespace, anew when it is not the one at its path any more.</summary>
    private Space Open(WantedParts wanted) =>
        !_spaces.TryGet(wanted.Name, out var space) || space.IsTouched || space.AppliedParts is null ? _spaces.Ensure(wanted.Name) : space;

    /// <summary>False: more than shares must be changed, and nothing was.</summary>
    private async Task<bool> TryChangeAsync(WantedParts wanted, CancellationToken cancellationToken)
    {
        var space = Open(wanted);
        var byShares = space.AppliedParts is { } before && !ReferenceEquals(before, wanted) && wanted.ChangesSince(before) is { } keys
            && await ShareStep.TryApplyAsync(new SpacePass(space, wanted, _spaces, journal, logger), before, wanted, keys, cancellationToken);
        if (byShares)
        {
            space.Holds(wanted, byShares: true);
        }

        return byShares;
    }

    private async Task ApplyAsync(WantedParts wanted, bool sweep, bool changed, CancellationToken cancellationToken)
    {
        var byShares = changed || await TryChangeAsync(wanted, cancellationToken);
        var space = Open(wanted);
        // What others touched meanwhile is looked at after the wish is done: then whatever differs is theirs.
        space.Weigh();
        if (byShares && !sweep && space.TryPutOff())
        {
            return;
        }

        var touched = space.TakeTouched();
        if (!ReferenceEquals(space.AppliedParts, wanted))
        {
            touched |= SpaceParts.Routing | SpaceParts.Settings | SpaceParts.Esp;
        }

        if (touched == SpaceParts.None && !sweep)
        {
            return;
        }

        var pass = new SpacePass(space, wanted, _spaces, journal, logger) { Sweep = sweep };
        // Rules come before links: nobody sends before it is decided who may.
        var readBack = space.AppliedParts is null || touched.HasFlag(SpaceParts.Tables);
        if (readBack || sweep || !ReferenceEquals(space.AppliedParts, wanted))
        {
            await TableStep.ApplyAsync(pass, readBack, cancellationToken);
            BalancerStep.Apply(pass, readBack);
            await IptablesStep.ApplyAsync(pass, readBack, cancellationToken);
        }

        if (touched.HasFlag(SpaceParts.Esp))
        {
            EspStep.Apply(pass);
        }

        if (touched.HasFlag(SpaceParts.Settings))
        {
            OnceMark.Read(pass);
            SettingStep.ApplyEarly(pass);
        }

        if (touched.HasFlag(SpaceParts.Routing) || sweep)
        {
            LinkStep.Apply(pass);
            space.Indexes = pass.Links.ToDictionary(l => l.Key, l => l.Value.Index, StringComparer.Ordinal);
            AddressStep.Apply(pass);
            NeighbourStep.Apply(pass);
            RouteStep.Apply(pass);
        }

        if (options.Classic)
        {
            VirtualServerStep.Apply(pass);
        }

        if (touched.HasFlag(SpaceParts.Settings))
        {
            SettingStep.ApplyLate(pass);
        }

        OnceMark.Write(pass);
        FlowStep.Apply(pass);

        space.Holds(wanted, byShares: false);
        space.Fresh = false;
    }

    private List<string> Unwanted(WantedNode wanted, bool sweep)
    {
        var names = wanted.Spaces.Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        return [.. (sweep ? _kept.Union(_spaces.Existing(), StringComparer.Ordinal) : _kept).Where(n => n.Length > 0 && !names.Contains(n))];
    }

    private async Task TryAsync(ImmutableDictionary<string, Exception>.Builder failed, WantedParts space, Func<Task> body, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            await body();
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            failed[space.Name] = failure;
            logger.SpaceFailed(failure, space.Name);
            if (_spaces.TryGet(space.Name, out var there))
            {
                there.Unknown();
            }
        }
    }

    private bool Try(ImmutableDictionary<string, Exception>.Builder failed, string name, Action body)
    {
        try
        {
            body();
            return true;
        }
        catch (Exception failure)
        {
            failed[name] = failure;
            logger.SpaceFailed(failure, name);
            return false;
        }
    }
}
