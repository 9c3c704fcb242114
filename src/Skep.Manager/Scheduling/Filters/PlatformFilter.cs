namespace Skep.Manager.Scheduling.Filters;

/// <summary>The image's platforms, as far as the spec names them. Architectures have two names each.</summary>
public sealed class PlatformFilter : IPlacementFilter
{
    public bool Concerns(TaskNeeds needs) => needs.Platforms.Count > 0;

    public Refusal? Check(TaskNeeds needs, NodeView node)
    {
        var own = node.Node?.Description?.Platform;
        return needs.Platforms.Any(p => Same(p.OS, own?.OS) && Same(Plain(p.Architecture), Plain(own?.Architecture)))
            ? null
            : new Refusal("platform", $"is {own?.OS}/{own?.Architecture}");
    }

    public string Explain(int nodes) => $"unsupported platform on {Counted.Nodes(nodes)}";

    private static bool Same(string? wanted, string? own) =>
        string.IsNullOrEmpty(wanted) || wanted.Equals(own, StringComparison.OrdinalIgnoreCase);

    private static string? Plain(string? architecture) => architecture?.ToLowerInvariant() switch
    {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        var other => other,
    };
}
