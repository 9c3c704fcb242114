using System.Text.RegularExpressions;

namespace Skep.Network.Desired;

/// <summary>
/// Reads others' packet rules for what they do to ours. A packet that one table drops is dropped, whatever ours says, and we
/// never touch others' rules; so it is found out and said. Pure.
/// </summary>
internal static partial class ForeignFirewall
{
    // What comes in and what goes out, all by one bridge.
    private static readonly PathKind[] s_classic = [PathKind.Published, PathKind.WayOut];

    /// <param name="listing">What <c>nft list table</c> prints of a table that is not ours.</param>
    /// <param name="table">Its family and name: <c>ip filter</c>.</param>
    /// <param name="classic">The node has the classic data plane.</param>
    public static IEnumerable<BlockedPath> Of(string listing, string table, bool classic)
    {
        var chains = Chains(listing);
        var ufw = chains.Keys.Any(c => c is "ufw-user-forward" or "ufw6-user-forward");
        foreach (var (name, lines) in chains)
        {
            if (!lines.Exists(l => ForwardHook().IsMatch(l)) || !IsClosed(lines))
            {
                continue;
            }

            var accepting = Reached(chains, name).Where(l => Accepts().IsMatch(l)).ToList();
            var translated = accepting.Exists(l => l.Contains("ct status dnat", StringComparison.Ordinal));
            var established = accepting.Exists(l => Established().IsMatch(l));
            foreach (var kind in classic ? s_classic : Enum.GetValues<PathKind>())
            {
                var path = new BlockedPath(table, name, kind) { Ufw = ufw, Classic = classic };
                var open = kind switch
                {
                    PathKind.WayOut => false,
                    PathKind.Answers => translated || established,
                    _ => translated,
                };
                if (!open && !accepting.Exists(l => LeadsTo(path, l)))
                {
                    yield return path;
                }
            }
        }
    }

    // Everything that no rule accepted is dropped: by the policy, or by a last rule without a condition.
    private static bool IsClosed(List<string> chain) =>
        chain.Exists(l => l.Contains("policy drop", StringComparison.Ordinal)) || (chain.Count > 0 && Refusal().IsMatch(chain[^1]));

    private static bool LeadsTo(BlockedPath path, string rule) =>
        Links().Matches(rule).Where(m => m.Groups[1].Value == (path.Outwards ? "oifname" : "iifname"))
            .Any(m => m.Groups[2].Value is var name && (name == path.Link || (name.EndsWith('*') && path.Link.StartsWith(name[..^1], StringComparison.Ordinal))));

    /// <summary>The rules of a chain and of all that it jumps to. What a condition on the way leaves out is not seen; it is taken to be right.</summary>
    private static IEnumerable<string> Reached(Dictionary<string, List<string>> chains, string first)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { first };
        var open = new Queue<string>(seen);
        while (open.TryDequeue(out var name))
        {
            foreach (var line in chains[name])
            {
                // A jump that asks for the link lets its condition stand for those behind it.
                yield return Jump().Match(line) is { Success: true } jump && Links().IsMatch(line) && Accepting(chains, jump.Groups[1].Value) ? line + " accept" : line;
                foreach (Match next in Jump().Matches(line))
                {
                    if (chains.ContainsKey(next.Groups[1].Value) && seen.Add(next.Groups[1].Value))
                    {
                        open.Enqueue(next.Groups[1].Value);
                    }
                }
            }
        }
    }

    private static bool Accepting(Dictionary<string, List<string>> chains, string first)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { first };
        var open = new Queue<string>(seen);
        while (open.TryDequeue(out var name))
        {
            foreach (var line in chains.TryGetValue(name, out var lines) ? lines : [])
            {
                // Without a condition: for all that came in by that link.
                if (line == "accept" || AcceptedOutright().IsMatch(line))
                {
                    return true;
                }

                foreach (Match next in Jump().Matches(line))
                {
                    if (seen.Add(next.Groups[1].Value))
                    {
                        open.Enqueue(next.Groups[1].Value);
                    }
                }
            }
        }

        return false;
    }

    private static Dictionary<string, List<string>> Chains(string listing)
    {
        var chains = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        List<string>? chain = null;
        foreach (var line in listing.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0))
        {
            if (line.Split(' ') is ["chain", var name, "{"])
            {
                chains[name] = chain = [];
            }
            else if (line == "}")
            {
                chain = null;
            }
            else
            {
                chain?.Add(line);
            }
        }

        return chains;
    }

    [GeneratedRegex(@"\bct state (\{ )?[a-z, ]*\bestablished\b")]
    private static partial Regex Established();

    [GeneratedRegex(@"^type filter hook forward ")]
    private static partial Regex ForwardHook();

    [GeneratedRegex(@"^(counter packets \d+ bytes \d+ )?(drop|reject\b.*)$")]
    private static partial Regex Refusal();

    [GeneratedRegex(@"\baccept$")]
    private static partial Regex Accepts();

    [GeneratedRegex(@"^counter packets \d+ bytes \d+ accept$")]
    private static partial Regex AcceptedOutright();

    [GeneratedRegex(@"\b([io]ifname) ""([^""]*)""")]
    private static partial Regex Links();

    [GeneratedRegex(@"\b(?:jump|goto) (\S+)")]
    private static partial Regex Jump();
}
