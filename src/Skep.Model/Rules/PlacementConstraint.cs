using System.Net;
using System.Text.RegularExpressions;
using Skep.Model.Errors;
using Skep.Model.Objects;

namespace Skep.Model.Rules;

/// <summary>
/// One condition on a node: <c>key==value</c> or <c>key!=value</c>. Values are compared literally, whatever their case. A key
/// that nobody knows is held by no node, so its task waits.
/// </summary>
public sealed partial record PlacementConstraint(string Key, bool Equal, string Value)
{
    private const string NodeLabel = "node.labels.";
    private const string EngineLabel = "engine.labels.";

    /// <summary>Reads one constraint.</summary>
    /// <exception cref="ClusterException">InvalidArgument, in the words that the docker CLI's users know.</exception>
    public static PlacementConstraint Parse(string text)
    {
        var equal = true;
        var parts = text.Split("==", 2);
        if (parts.Length < 2)
        {
            equal = false;
            parts = text.Split("!=", 2);
        }

        if (parts.Length < 2)
        {
            throw ClusterException.Invalid("constraint expected one operator from ==, !=");
        }

        var (key, value) = (parts[0].Trim(), parts[1].Trim());
        if (!KeyForm().IsMatch(key))
        {
            throw ClusterException.Invalid($"key '{key}' is invalid");
        }

        if (!ValueForm().IsMatch(value))
        {
            throw ClusterException.Invalid($"value '{value}' is invalid");
        }

        return new PlacementConstraint(key, equal, value);
    }

    /// <summary>All of them; the first that cannot be read is thrown.</summary>
    public static IReadOnlyList<PlacementConstraint> ParseAll(IReadOnlyList<string>? texts) =>
        texts is null or { Count: 0 } ? [] : [.. texts.Select(Parse)];

    /// <summary>Does the node satisfy every one of the constraints? Text that cannot be read is satisfied by none.</summary>
    public static bool AllMatch(IReadOnlyList<string>? texts, SwarmNode node)
    {
        try
        {
            return texts is null or { Count: 0 } || ParseAll(texts).All(c => c.Matches(node));
        }
        catch (ClusterException)
        {
            return false;
        }
    }

    public bool Matches(SwarmNode node)
    {
        if (Has(Key, "node.id"))
        {
            return Is(node.Id);
        }

        if (Has(Key, "node.hostname"))
        {
            return Is(node.Description?.Hostname);
        }

        if (Has(Key, "node.ip"))
        {
            return MatchesAddress(node.Status.Addr);
        }

        if (Has(Key, "node.role"))
        {
            return Is(node.Role);
        }

        if (Has(Key, "node.platform.os"))
        {
            return Is(node.Description?.Platform.OS);
        }

        if (Has(Key, "node.platform.arch"))
        {
            return Is(node.Description?.Platform.Architecture);
        }

        return LabelOf(node, Key) is { Known: true } label && Is(label.Value);
    }

    /// <summary>The value of <c>node.labels.x</c> or <c>engine.labels.x</c>; a label that the node lacks is empty. Unknown for any other key.</summary>
    public static (bool Known, string Value) LabelOf(SwarmNode node, string key)
    {
        if (key.StartsWith(NodeLabel, StringComparison.OrdinalIgnoreCase))
        {
            return (true, node.Spec.Labels.GetValueOrDefault(key[NodeLabel.Length..]) ?? "");
        }

        return key.StartsWith(EngineLabel, StringComparison.OrdinalIgnoreCase)
            ? (true, node.Description?.Engine.Labels?.GetValueOrDefault(key[EngineLabel.Length..]) ?? "")
            : (false, "");
    }

    private static bool Has(string key, string name) => key.Equals(name, StringComparison.OrdinalIgnoreCase);

    private bool Is(string? actual) => Value.Equals(actual ?? "", StringComparison.OrdinalIgnoreCase) == Equal;

    private bool MatchesAddress(string text)
    {
        if (!IPAddress.TryParse(text, out var address))
        {
            return false;
        }

        if (IPAddress.TryParse(Value, out var wanted))
        {
            return address.Equals(wanted) == Equal;
        }

        return IPNetwork.TryParse(Value, out var network) && network.Contains(address) == Equal;
    }

    [GeneratedRegex(@"^[a-z_][a-z0-9\-_.]+$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex KeyForm();

    [GeneratedRegex(@"^[a-z0-9:\-_\s\.\*\(\)\?\+\[\]\\\^\$\|\/]+$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ValueForm();
}
