using System.Text.Json;
using Skep.Model.Specs;

namespace Skep.Agent.Runtime.Spec;

/// <summary>The part of an image's configuration that shapes its containers.</summary>
public sealed record ImageConfig
{
    public IReadOnlyList<string> Env { get; init; } = [];
    public IReadOnlyList<string>? Entrypoint { get; init; }
    public IReadOnlyList<string>? Command { get; init; }
    public IReadOnlyList<string>? Shell { get; init; }
    public string User { get; init; } = "";
    public string WorkingDir { get; init; } = "";
    public string StopSignal { get; init; } = "";
    public IReadOnlyList<string> Volumes { get; init; } = [];
    public IReadOnlyList<string> ExposedPorts { get; init; } = [];
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public HealthConfig? Healthcheck { get; init; }

    /// <summary>Reads the <c>config</c> object of an OCI or Docker image configuration; what is missing or null stays empty.</summary>
    public static ImageConfig Read(JsonElement configuration)
    {
        if (configuration.ValueKind != JsonValueKind.Object || !configuration.TryGetProperty("config", out var config) || config.ValueKind != JsonValueKind.Object)
        {
            return new ImageConfig();
        }

        return new ImageConfig
        {
            Env = Strings(config, "Env") ?? [],
            Entrypoint = Strings(config, "Entrypoint"),
            Command = Strings(config, "Cmd"),
            Shell = Strings(config, "Shell"),
            User = Text(config, "User"),
            WorkingDir = Text(config, "WorkingDir"),
            StopSignal = Text(config, "StopSignal"),
            Volumes = Keys(config, "Volumes"),
            ExposedPorts = Keys(config, "ExposedPorts"),
            Labels = config.TryGetProperty(nameof(Labels), out var labels) && labels.ValueKind == JsonValueKind.Object
                ? labels.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "", StringComparer.Ordinal)
                : [],
            Healthcheck = Health(config),
        };
    }

    private static HealthConfig? Health(JsonElement config) =>
        config.TryGetProperty(nameof(Healthcheck), out var health) && health.ValueKind == JsonValueKind.Object
            ? new HealthConfig
            {
                Test = Strings(health, "Test"),
                Interval = Number(health, "Interval"),
                Timeout = Number(health, "Timeout"),
                StartPeriod = Number(health, "StartPeriod"),
                StartInterval = Number(health, "StartInterval"),
                Retries = (int?)Number(health, "Retries"),
            }
            : null;

    private static List<string>? Strings(JsonElement parent, string key) =>
        parent.TryGetProperty(key, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(e => e.GetString() ?? "")]
            : null;

    private static string Text(JsonElement parent, string key) =>
        parent.TryGetProperty(key, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() ?? "" : "";

    private static long? Number(JsonElement parent, string key) =>
        parent.TryGetProperty(key, out var number) && number.ValueKind == JsonValueKind.Number ? number.GetInt64() : null;

    private static List<string> Keys(JsonElement parent, string key) =>
        parent.TryGetProperty(key, out var map) && map.ValueKind == JsonValueKind.Object ? [.. map.EnumerateObject().Select(p => p.Name)] : [];
}
