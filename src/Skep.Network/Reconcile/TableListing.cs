using System.Collections.Immutable;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>Reads what <c>nft list table</c> prints back into the form in which tables are wanted.</summary>
internal static class TableListing
{
    public static WantedTable Parse(string family, string name, string listing)
    {
        var sets = ImmutableArray.CreateBuilder<WantedSet>();
        var chains = ImmutableArray.CreateBuilder<WantedChain>();
        var others = ImmutableArray.CreateBuilder<string>();
        var lines = listing.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0).ToList();
        for (var i = 1; i < lines.Count; i++)
        {
            var words = lines[i].Split(' ');
            if (words is ["chain", var chain, "{"])
            {
                chains.Add(Chain(chain, Body(lines, ref i)));
            }
            else if (words is ["set" or "map", var set, "{"])
            {
                sets.Add(Set(words[0], set, Body(lines, ref i)));
            }
            else if (lines[i] != "}")
            {
                others.Add(lines[i].TrimEnd(' ', '{'));
                _ = words[^1] == "{" ? Body(lines, ref i) : [];
            }
        }

        return new WantedTable(family, name) { Others = others.ToImmutable(), Sets = sets.ToImmutable(), Chains = chains.ToImmutable() };
    }

    // The lines up to the brace that stands alone; elements go over several lines, each but the last ending in a comma.
    private static List<string> Body(List<string> lines, ref int i)
    {
        var body = new List<string>();
        for (i++; i < lines.Count && lines[i] != "}"; i++)
        {
            var first = i;
            while (lines[i].EndsWith(',') && i + 1 < lines.Count && lines[i + 1] != "}")
            {
                i++;
            }

            body.Add(first == i ? lines[i] : string.Join(' ', lines[first..(i + 1)]));
        }

        return body;
    }

    private static WantedChain Chain(string name, List<string> body)
    {
        var hook = body.Find(l => l.StartsWith("type ", StringComparison.Ordinal) && l.Contains(" hook ", StringComparison.Ordinal));
        return new WantedChain(name, hook, [.. body.Where(l => l != hook)]);
    }

    private static WantedSet Set(string kind, string name, List<string> body)
    {
        const string elements = "elements = {";
        var type = body.Find(l => l.StartsWith("type ", StringComparison.Ordinal))?["type ".Length..] ?? "";
        var list = body.Find(l => l.StartsWith(elements, StringComparison.Ordinal));
        // What is neither type nor elements (flags, size, timeout) was not wanted and shows as a different type.
        var rest = body.Where(l => !l.StartsWith("type ", StringComparison.Ordinal) && l != list);
        return new WantedSet(
            kind,
            name,
            string.Join("; ", rest.Prepend(type)),
            list is null ? [] : [.. list[elements.Length..].TrimEnd('}').Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)]);
    }
}
