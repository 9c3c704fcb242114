namespace Skep.Kernel.Nftables;

/// <summary>
/// Changes to nftables, as a value: built, printed, compared, and then run by <see cref="INftables.RunAsync"/> as one atomic
/// change. Each verb is one line of nft(8). The first impossible name poisons the transaction: running it then fails with
/// <see cref="Problem"/>.
/// </summary>
public sealed class NftTransaction
{
    private const int LongestName = 255;

    private readonly List<string> _lines = [];

    public bool IsEmpty => _lines.Count == 0;

    /// <summary>The commands so far, one nft line each.</summary>
    public IReadOnlyList<string> Lines => _lines;

    /// <summary>What is wrong with it; null if nothing is.</summary>
    public string? Problem { get; private set; }

    /// <summary>Makes sure that the table is there.</summary>
    public NftTransaction AddTable(NftTable table) => Add($"add table {Known(table)}");

    /// <summary>Makes sure that the table is gone, with all that is in it.</summary>
    public NftTransaction DeleteTable(NftTable table) => AddTable(table).Add($"delete table {table}");

    /// <summary>Removes every rule of the table; chains, sets and maps stay.</summary>
    public NftTransaction FlushTable(NftTable table) => Add($"flush table {Known(table)}");

    /// <summary>Makes sure that the chain is there; with a hook it is a base chain.</summary>
    public NftTransaction AddChain(NftTable table, string chain, NftHook? hook = null) =>
        Add(hook is null ? $"add chain {Known(table)} {Known(chain)}" : $"add chain {Known(table)} {Known(chain)} {hook}");

    public NftTransaction FlushChain(NftTable table, string chain) => Add($"flush chain {Known(table)} {Known(chain)}");

    /// <summary>The chain must be there, empty and not jumped to.</summary>
    public NftTransaction DeleteChain(NftTable table, string chain) => Add($"delete chain {Known(table)} {Known(chain)}");

    /// <summary>Appends a rule, in nft's words.</summary>
    public NftTransaction AddRule(NftTable table, string chain, string rule) => Add($"add rule {Known(table)} {Known(chain)} {rule}");

    /// <summary>Puts a rule at the chain's start.</summary>
    public NftTransaction InsertRule(NftTable table, string chain, string rule) =>
        Add($"insert rule {Known(table)} {Known(chain)} {rule}");

    /// <summary>Makes sure that the set is there: <paramref name="type"/> as <c>ipv4_addr . inet_service</c>, flags as <c>interval</c>.</summary>
    public NftTransaction AddSet(NftTable table, string set, string type, string? flags = null) =>
        Add($"add set {Known(table)} {Known(set)} {Body(type, flags)}");

    /// <summary>Makes sure that the map is there: <paramref name="type"/> as <c>ipv4_addr : verdict</c>.</summary>
    public NftTransaction AddMap(NftTable table, string map, string type, string? flags = null) =>
        Add($"add map {Known(table)} {Known(map)} {Body(type, flags)}");

    public NftTransaction DeleteSet(NftTable table, string set) => Add($"delete set {Known(table)} {Known(set)}");

    public NftTransaction DeleteMap(NftTable table, string map) => Add($"delete map {Known(table)} {Known(map)}");

    /// <summary>Removes every element of a set or map.</summary>
    public NftTransaction FlushSet(NftTable table, string set) => Add($"flush set {Known(table)} {Known(set)}");

    /// <summary>Makes sure that the element is in the set. In a map whose key is there with another value this is refused.</summary>
    public NftTransaction AddElement(NftTable table, string set, string element) =>
        Add($"add element {Known(table)} {Known(set)} {{ {element} }}");

    /// <inheritdoc cref="AddElement(NftTable, string, string)"/>
    public NftTransaction AddElement(NftTable table, string map, string key, string value) =>
        AddElement(table, map, $"{key} : {value}");

    /// <summary>Removes an element that must be there; of a map, by its key.</summary>
    public NftTransaction DeleteElement(NftTable table, string set, string element) =>
        Add($"delete element {Known(table)} {Known(set)} {{ {element} }}");

    /// <summary>Any other line of nft's language.</summary>
    public NftTransaction Add(string line)
    {
        if (line.AsSpan().ContainsAny('\n', '\r'))
        {
            Problem ??= $"a command cannot have a line break: {line}";
        }

        _lines.Add(line);
        return this;
    }

    /// <summary>The script as <c>nft -f</c> takes it.</summary>
    public override string ToString() => string.Concat(_lines.Select(line => line + '\n'));

    private static string Body(string type, string? flags) =>
        flags is null ? $"{{ type {type}; }}" : $"{{ type {type}; flags {flags}; }}";

    private NftTable Known(NftTable table)
    {
        Known(table.Name);
        return table;
    }

    private string Known(string name)
    {
        var valid = name.Length is > 0 and <= LongestName
            && (char.IsAsciiLetter(name[0]) || name[0] == '_')
            && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.' or '/');
        if (!valid)
        {
            Problem ??= $"'{name}' cannot be a name in nftables";
        }

        return name;
    }
}
