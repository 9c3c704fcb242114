using Skep.Model.Objects;

namespace Skep.Manager.Scheduling.Filters;

/// <summary>Log and volume drivers must be there. A node that names no drivers of a type is not judged by it.</summary>
public sealed class PluginFilter : IPlacementFilter
{
    private const string Latest = ":latest";

    public bool Concerns(TaskNeeds needs) => needs.LogDriver is not null || needs.VolumeDrivers.Count > 0;

    public Refusal? Check(TaskNeeds needs, NodeView node)
    {
        var plugins = node.Node?.Description?.Engine.Plugins ?? [];
        if (needs.LogDriver is { } log && !Has(plugins, "Log", log))
        {
            return new Refusal("log driver", $"{log} is missing");
        }

        return needs.VolumeDrivers.FirstOrDefault(v => !Has(plugins, "Volume", v)) is { } volume
            ? new Refusal("volume driver", $"{volume} is missing")
            : null;
    }

    public string Explain(int nodes) => $"missing plugin on {Counted.Nodes(nodes)}";

    private static bool Has(IReadOnlyList<PluginDescription> plugins, string type, string name)
    {
        var ofType = plugins.Where(p => p.Type == type).ToArray();
        return ofType.Length == 0 || ofType.Any(p => Plain(p.Name) == Plain(name));
    }

    private static string Plain(string name) => name.EndsWith(Latest, StringComparison.Ordinal) ? name[..^Latest.Length] : name;
}
