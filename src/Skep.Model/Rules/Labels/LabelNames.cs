namespace Skep.Model.Rules.Labels;

/// <summary>The labels of a service that Skep itself reads. Their prefix is ours: one that is not in the table is a slip of the pen.</summary>
public static class LabelNames
{
    public const string Prefix = "skep.";
    public const string Balance = "skep.balance";
    public const string BalanceTimeout = "skep.balance.timeout";
    public const string BalanceWeight = "skep.balance.weight";
    public const string BalanceWith = "skep.balance.with";
    public const string DrainGrace = "skep.drain.grace";
    public const string ReadyTimeout = "skep.ready.timeout";
    public const string Unhealthy = "skep.unhealthy";
    public const string Publish = "skep.publish.";
    public const string Nodes = "nodes";
    public const string Addresses = "addresses";
    public const string Sources = "sources";
    public const string ProxyProtocol = "proxy-protocol";

    /// <summary>Every known name; those of ports without the port.</summary>
    private static readonly string[] s_known =
    [
        Balance, BalanceTimeout, BalanceWeight, BalanceWith, DrainGrace, ReadyTimeout, Unhealthy,
        Publish + Nodes, Publish + Addresses, Publish + Sources, Publish + ProxyProtocol,
    ];

    public static bool IsOurs(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    public static bool IsKnown(string name) => s_known.Contains(WithoutPort(name), StringComparer.Ordinal);

    /// <summary><c>8000</c> of <c>skep.publish.8000.nodes</c> with <c>nodes</c>; no port in <c>skep.publish.nodes</c>. Null for other names.</summary>
    public static (string? Port, string Key)? PublishKey(string name)
    {
        if (!name.StartsWith(Publish, StringComparison.Ordinal))
        {
            return null;
        }

        var rest = name[Publish.Length..];
        var dot = rest.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? (null, rest) : (rest[..dot], rest[(dot + 1)..]);
    }

    /// <summary>The known name that is the fewest letters away; one with a port if the unknown one has a port.</summary>
    public static string Nearest(string name)
    {
        var nearest = s_known.MinBy(known => Distance(WithoutPort(name), known))!;
        return PublishKey(name) is { Port: { } port } && PublishKey(nearest) is { } key ? $"{Publish}{port}.{key.Key}" : nearest;
    }

    private static string WithoutPort(string name) =>
        PublishKey(name) is { Port: { Length: > 0 } port, Key: var key } && char.IsAsciiDigit(port[0]) ? Publish + key : name;

    // Levenshtein: letters to change, add or leave out.
    private static int Distance(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var change = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
