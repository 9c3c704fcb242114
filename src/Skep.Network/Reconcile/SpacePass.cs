using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Links;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>One look at one namespace: what is wanted, what was wanted before, and the differences that were found.</summary>
internal sealed class SpacePass(Space space, WantedParts parts, Spaces spaces, RepairJournal journal, ILogger logger)
{
    private readonly bool _repairing = ReferenceEquals(space.AppliedParts, parts);

    public Space Space { get; } = space;
    public WantedParts Parts { get; } = parts;

    /// <summary>The whole wish.</summary>
    public WantedSpace Wanted => Parts.Merged();

    public Spaces Spaces { get; } = spaces;

    /// <summary>Everything that is not wanted goes, whoever made it; otherwise only what we wanted before.</summary>
    public bool Sweep { get; init; }

    /// <summary>Everything in the namespace is ours to remove.</summary>
    public bool Exclusive => Parts.Frame.Kind is SpaceKind.Overlay or SpaceKind.Ingress or SpaceKind.Balancer;

    /// <summary>The links that the wish speaks of, as they are now, by name.</summary>
    public Dictionary<string, Link> Links { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether somebody is to read of differences.</summary>
    public bool Tells => _repairing || logger.IsEnabled(LogLevel.Debug);

    /// <summary>A difference that is about to be removed. It is news to the user only when nobody wished for a change.</summary>
    public void Differs(RepairKind kind, RepairCause cause, [InterpolatedStringHandlerArgument("")] DifferenceText difference)
    {
        if (difference.IsTold)
        {
            Differs(kind, cause, difference.ToStringAndClear());
        }
    }

    /// <summary>The same for who has the words only by making them.</summary>
    public void Differs(RepairKind kind, RepairCause cause, Func<string> difference)
    {
        if (Tells)
        {
            Differs(kind, cause, difference());
        }
    }

    /// <summary>The same with words that are there.</summary>
    public void Differs(RepairKind kind, RepairCause cause, string difference)
    {
        var name = Space.Name.Length == 0 ? "host" : Space.Name;
        if (_repairing)
        {
            journal.Add(name, kind, cause, difference);
            logger.Repaired(name, difference);
        }
        else
        {
            logger.Changed(name, difference);
        }
    }

    public int IndexOf(string link) => Links.TryGetValue(link, out var there)
        ? there.Index
        : throw new IOException($"link {link} is not there");

    /// <summary>The packet rules that are about to be changed.</summary>
    public void Script(Func<string> script)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            logger.Script(Space.Name, script());
        }
    }
}
