using Skep.Kernel.Links;

namespace Skep.Network.Reconcile;

/// <summary>
/// Settings that are given once are due while a cable's inner end has no mark, its alias. It is written after them, so a daemon that was killed
/// between the two is followed by one that gives them, and one that had given them by one that leaves them to their owner.
/// </summary>
internal static class OnceMark
{
    private const string Alias = "skep";

    /// <summary>Notes whether they are due. Who has looked before knows.</summary>
    public static void Read(SpacePass pass)
    {
        if (pass.Space.AppliedParts is null && AreAny(pass))
        {
            pass.Space.Fresh |= pass.Parts.Frame.Ends.Any(e => pass.Space.Routes.FindLink(e.Name)?.Alias != Alias);
        }
    }

    /// <summary>They are given.</summary>
    public static void Write(SpacePass pass)
    {
        if (pass.Space.Fresh && AreAny(pass))
        {
            pass.Space.Change(batch =>
            {
                foreach (var link in pass.Parts.Frame.Ends.Select(e => pass.Links[e.Name]).Where(l => l.Alias != Alias))
                {
                    batch.SetLink(link.Index, new LinkChange { Alias = Alias });
                }
            });
        }
    }

    private static bool AreAny(SpacePass pass) => pass.Parts.Frame.Sysctls.Any(s => s.Once);
}
