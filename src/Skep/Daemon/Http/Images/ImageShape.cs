using System.Text.Json;
using Skep.Agent.Images;
using Skep.EngineApi.Images;

namespace Skep.Daemon.Http.Images;

/// <summary>Images as the Engine API shows them.</summary>
internal static class ImageShape
{
    private static readonly JsonElement s_noConfig = JsonDocument.Parse("{}").RootElement;

    public static ImageSummary Summary(LocalImage image) => new()
    {
        Created = ImageTimes.Created(image.Configuration).ToUnixTimeSeconds(),
        Id = image.Id,
        Labels = Labels(image),
        RepoDigests = image.RepoDigests,
        RepoTags = image.Tags,
        Size = image.Size,
    };

    public static ImageInspect Inspect(LocalImage image) => new()
    {
        Id = image.Id,
        RepoTags = image.Tags,
        RepoDigests = image.RepoDigests,
        Comment = Text(image.Configuration, "comment"),
        Created = image.Configuration.TryGetProperty("created", out var created) ? created.GetString() : null,
        DockerVersion = Text(image.Configuration, "docker_version"),
        Author = Text(image.Configuration, "author"),
        Config = image.Configuration.TryGetProperty("config", out var config) && config.ValueKind == JsonValueKind.Object ? config : s_noConfig,
        Architecture = Text(image.Configuration, "architecture"),
        Variant = Text(image.Configuration, "variant") is { Length: > 0 } variant ? variant : null,
        Os = Text(image.Configuration, "os"),
        Size = image.Size,
        RootFS = new RootFileSystem("layers", DiffIds(image)),
        Metadata = new ImageMetadata(image.LastTaggedAt?.UtcDateTime.ToString("O") ?? "0001-01-01T00:00:00Z"),
    };

    /// <summary>Newest first; only the newest step has the image's id and tags. Sizes of single steps are not kept.</summary>
    public static ImageHistoryStep[] History(LocalImage image)
    {
        var steps = image.Configuration.TryGetProperty("history", out var history) && history.ValueKind == JsonValueKind.Array
            ? history.EnumerateArray().Reverse().ToList()
            : [];
        var layers = steps.Count(IsLayer);
        return [.. steps.Select((step, i) => new ImageHistoryStep
        {
            Id = i == 0 ? image.Id : "<missing>",
            Tags = i == 0 && image.Tags.Count > 0 ? image.Tags : null,
            Created = ImageTimes.Created(step).ToUnixTimeSeconds(),
            CreatedBy = Text(step, "created_by"),
            Comment = Text(step, "comment"),
            Size = layers == 1 && IsLayer(step) ? image.Size : 0,
        })];
    }

    public static IReadOnlyDictionary<string, string>? Labels(LocalImage image) =>
        image.Configuration.TryGetProperty("config", out var config) && config.ValueKind == JsonValueKind.Object
        && config.TryGetProperty("Labels", out var labels) && labels.ValueKind == JsonValueKind.Object
            ? labels.EnumerateObject().ToDictionary(label => label.Name, label => label.Value.GetString() ?? "", StringComparer.Ordinal)
            : null;

    private static IReadOnlyList<string> DiffIds(LocalImage image) =>
        image.Configuration.TryGetProperty("rootfs", out var rootFs) && rootFs.TryGetProperty("diff_ids", out var diffIds)
            ? [.. diffIds.EnumerateArray().Select(item => item.GetString() ?? "")]
            : [];

    private static bool IsLayer(JsonElement step) => !(step.TryGetProperty("empty_layer", out var empty) && empty.ValueKind == JsonValueKind.True);

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
