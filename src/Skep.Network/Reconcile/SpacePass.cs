using Microsoft.Extensions.Logging;
using Skep.Kernel.Links;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>One look at one namespace: what is wanted, what was wanted before, and the differences that were found.</summary>
internal sealed class SpacePass(Space space, WantedSpace wanted, string text, Spaces spaces, ILogger logger)
{
    private readonly bool _repairing = space.Applied is not null && space.AppliedText == text;

    public Space Space { get; } = space;
    public WantedSpace Wanted { get; } = wanted;
    public Spaces Spaces { get; } = spaces;

    /// <summary>Everything that is not wanted goes, whoever made it; otherwise only what we wanted before.</summary>
    public bool Sweep { get; init; }

    /// <summary>Everything in the namespace is ours to remove.</summary>
    public bool Exclusive => Wanted.Kind is SpaceKind.Overlay or SpaceKind.Ingress;

    /// <summary>The links that the wish speaks of, as they are now, by name.</summary>
    public Dictionary<string, Link> Links { get; } = new(StringComparer.Ordinal);

    /// <summary>A difference that is about to be removed. It is news to the user only when nobody wished for a change.</summary>
    public void Differs(string difference)
    {
        var name = Space.Name.Length == 0 ? "host" : Space.Name;
        if (_repairing)
        {
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

    public void Script(string script) => logger.Script(Space.Name, script);
}
