using System.Text.RegularExpressions;
using Skep.Model.Errors;
using Skep.Model.Objects;

namespace Skep.Agent.Tasks;

/// <summary>
/// Placeholders in host names, environment and mounts: <c>{{.Service.Name}}</c>, <c>{{.Node.Hostname}}</c>, <c>{{.Task.Slot}}</c>,
/// <c>{{index .Service.Labels "key"}}</c> and the others that the Engine API documents.
/// </summary>
internal sealed partial class TaskTemplate(SwarmTask task, SwarmNode node)
{
    public string Expand(string text) => text.Contains("{{", StringComparison.Ordinal)
        ? Placeholder().Replace(text, match => Value(match.Groups[1].Value.Trim()))
        : text;

    private string Value(string expression) => expression switch
    {
        ".Service.ID" => task.ServiceId,
        ".Service.Name" => task.ServiceName,
        ".Node.ID" => node.Id,
        ".Node.Hostname" => node.Description?.Hostname ?? "",
        ".Node.Platform.Architecture" => node.Description?.Platform.Architecture ?? "",
        ".Node.Platform.OS" => node.Description?.Platform.OS ?? "",
        ".Task.ID" => task.Id,
        ".Task.Name" => task.Name,
        ".Task.Slot" => task.Slot != 0 ? task.Slot.ToString(System.Globalization.CultureInfo.InvariantCulture) : task.NodeId,
        _ when LabelOf(expression) is { } key => task.ServiceLabels?.GetValueOrDefault(key)
            ?? throw ClusterException.Invalid($"template {{{{{expression}}}}}: the service has no label \"{key}\""),
        _ => throw ClusterException.Invalid($"template {{{{{expression}}}}} is not known; see .Service, .Node and .Task"),
    };

    private static string? LabelOf(string expression)
    {
        var index = LabelIndex().Match(expression);
        return index.Success ? index.Groups[1].Value
            : expression.StartsWith(".Service.Labels.", StringComparison.Ordinal) ? expression[".Service.Labels.".Length..]
            : null;
    }

    [GeneratedRegex(@"\{\{([^}]*)\}\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex("^index \\.Service\\.Labels \"([^\"]+)\"$")]
    private static partial Regex LabelIndex();
}
