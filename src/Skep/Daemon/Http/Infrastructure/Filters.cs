using System.Text.Json;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>
/// The query parameter <c>filters</c>: <c>{"key":{"value":true}}</c>, or <c>{"key":["value"]}</c> from old clients. Values of one
/// key are alternatives; labels must all hold.
/// </summary>
public sealed class Filters
{
    public static readonly Filters None = new([]);

    private readonly Dictionary<string, IReadOnlyList<string>> _values;

    private Filters(Dictionary<string, IReadOnlyList<string>> values) => _values = values;

    public bool IsEmpty => _values.Count == 0;

    /// <summary>The values of a key; empty when it is absent.</summary>
    public IReadOnlyList<string> this[string key] => _values.GetValueOrDefault(key, []);

    public bool Has(string key) => _values.ContainsKey(key);

    /// <summary>True when the key is absent, or one of its values satisfies <paramref name="match"/>.</summary>
    public bool Any(string key, Func<string, bool> match) => !_values.TryGetValue(key, out var wanted) || wanted.Any(match);

    /// <summary>True when every <c>key</c> or <c>key=value</c> holds.</summary>
    public bool Labels(string key, IReadOnlyDictionary<string, string>? labels) => this[key].All(wanted => Holds(wanted, labels));

    /// <summary>A key's value as a flag; null when absent.</summary>
    public bool? Flag(string key) => this[key] switch
    {
        [] => null,
        ["1" or "true" or "True" or "TRUE"] => true,
        ["0" or "false" or "False" or "FALSE"] => false,
        var values => throw ClusterException.Invalid($"invalid filter '{key}={values[0]}'"),
    };

    /// <summary>Reads a request's filters; a key outside <paramref name="known"/> is refused.</summary>
    public static Filters Of(HttpContext context, params ReadOnlySpan<string> known)
    {
        var filters = Parse(context.Text("filters"));
        foreach (var key in filters._values.Keys)
        {
            if (!known.Contains(key))
            {
                throw ClusterException.Invalid($"invalid filter '{key}'");
            }
        }

        return filters;
    }

    public static Filters Parse(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return None;
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            return new Filters(document.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => Values(p.Value), StringComparer.Ordinal));
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or ArgumentException)
        {
            throw ClusterException.Invalid("invalid filter: " + malformed.Message);
        }
    }

    private static IReadOnlyList<string> Values(JsonElement element) => element.ValueKind == JsonValueKind.Array
        ? [.. element.EnumerateArray().Select(v => v.GetString()!)]
        : [.. element.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.True).Select(p => p.Name)];

    /// <summary>Does <c>key</c> or <c>key=value</c> hold?</summary>
    public static bool Holds(string wanted, IReadOnlyDictionary<string, string>? labels)
    {
        var equals = wanted.IndexOf('=');
        var key = equals < 0 ? wanted : wanted[..equals];
        return labels is not null && labels.TryGetValue(key, out var value)
            && (equals < 0 || string.Equals(value, wanted[(equals + 1)..], StringComparison.Ordinal));
    }
}
