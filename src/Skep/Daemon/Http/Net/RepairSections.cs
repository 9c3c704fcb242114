using System.Collections.Immutable;
using System.Globalization;
using Skep.EngineApi.Net;
using Skep.Network;

namespace Skep.Daemon.Http.Net;

/// <summary>What others had changed in the kernel and the daemon has put right.</summary>
internal static class RepairSections
{
    private const int Shown = 10;

    /// <summary>How often, by kind and cause; null when nothing was repaired.</summary>
    public static NetStatusSection? Counts(ImmutableArray<RepairCount> counts) => counts.IsEmpty ? null : new(
        "repairs",
        "Repairs of what others changed",
        ["KIND", "CAUSE", "COUNT"],
        [
            .. counts.GroupBy(c => (c.Kind, c.Cause)).OrderBy(g => g.Key.Kind).ThenBy(g => g.Key.Cause).Select(g => (IReadOnlyList<string>)
                [WordOf(g.Key.Kind), WordOf(g.Key.Cause), g.Sum(c => c.Count).ToString(CultureInfo.InvariantCulture)]),
        ]);

    /// <summary>The newest ten, the newest first; null when nothing was repaired.</summary>
    public static NetStatusSection? Last(ImmutableArray<Repair> last) => last.IsEmpty ? null : new(
        "last-repairs",
        "The last repairs",
        ["TIME", "SPACE", "KIND", "CAUSE", "WHAT"],
        [.. last.Reverse().Take(Shown).Select(r => (IReadOnlyList<string>)[StatusTime.Of(r.At), r.Space, WordOf(r.Kind), WordOf(r.Cause), r.What.ReplaceLineEndings(" ")])]);

    private static string WordOf(RepairKind kind) => kind.ToString().ToLowerInvariant();

    private static string WordOf(RepairCause cause) => cause == RepairCause.NotOurs ? "not ours" : cause.ToString().ToLowerInvariant();
}
