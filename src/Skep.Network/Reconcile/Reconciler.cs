using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// Brings the kernel to the wanted state: reads back, computes what differs, adds before it removes. The only code that changes
/// the kernel. One pass at a time; a namespace that failed is looked at in full by the next.
/// </summary>
internal sealed class Reconciler(NodeNetworkOptions options, Action noticed, ILogger logger) : IDisposable
{
    private readonly Spaces _spaces = new(options, noticed, logger);

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
                _spaces.Ensure(space.Name);
                _kept.Add(space.Name);
            }
        });
        foreach (var space in wanted.Spaces)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                await ApplyAsync(space, sweep, cancellationToken);
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                failed[space.Name] = failure;
                logger.SpaceFailed(failure, space.Name);
                if (_spaces.TryGet(space.Name, out var there))
                {
                    there.Touch(SpaceParts.All);
                    there.Applied = null;
                }
            }
        }

        foreach (var name in Unwanted(wanted, sweep))
        {
            Try(failed, name, () =>
            {
                _spaces.Remove(name);
                _kept.Remove(name);
                logger.SpaceRemoved(name);
            });
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

    public void Dispose() => _spaces.Dispose();

    private async Task ApplyAsync(WantedSpace wanted, bool sweep, CancellationToken cancellationToken)
    {
        var space = _spaces.Ensure(wanted.Name);
        var touched = space.TakeTouched();
        var text = ReferenceEquals(wanted, space.Applied) ? space.AppliedText : wanted.ToString();
        if (text != space.AppliedText || space.Applied is null)
        {
            touched |= SpaceParts.Routing | SpaceParts.Settings;
        }

        if (touched == SpaceParts.None && !sweep)
        {
            return;
        }

        var pass = new SpacePass(space, wanted, text, _spaces, logger) { Sweep = sweep };
        var first = space.Applied is null;
        // Rules come before links: nobody sends before it is decided who may.
        await TableStep.ApplyAsync(pass, readBack: first || touched.HasFlag(SpaceParts.Tables), cancellationToken);
        if (touched.HasFlag(SpaceParts.Settings))
        {
            SettingStep.ApplyEarly(pass);
        }

        if (touched.HasFlag(SpaceParts.Routing) || sweep)
        {
            LinkStep.Apply(pass);
            AddressStep.Apply(pass);
            NeighbourStep.Apply(pass);
            RouteStep.Apply(pass);
        }

        if (touched.HasFlag(SpaceParts.Settings))
        {
            SettingStep.ApplyLate(pass);
        }

        FlowStep.Apply(pass);

        (space.Applied, space.AppliedText, space.Fresh) = (wanted, text, false);
    }

    private List<string> Unwanted(WantedNode wanted, bool sweep)
    {
        var names = wanted.Spaces.Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        return [.. (sweep ? _kept.Union(_spaces.Existing(), StringComparer.Ordinal) : _kept).Where(n => n.Length > 0 && !names.Contains(n))];
    }

    private void Try(ImmutableDictionary<string, Exception>.Builder failed, string name, Action body)
    {
        try
        {
            body();
        }
        catch (Exception failure)
        {
            failed[name] = failure;
            logger.SpaceFailed(failure, name);
        }
    }
}
