using System.Text.Json.Serialization;

namespace Skep.EngineApi.Containers;

/// <summary>POST /containers/{ref}/exec. ConsoleSize is height, then width.</summary>
public sealed record ExecCreateRequest
{
    public string? User { get; init; }
    public bool Privileged { get; init; }
    public bool Tty { get; init; }
    public IReadOnlyList<uint>? ConsoleSize { get; init; }
    public bool AttachStdin { get; init; }
    public bool AttachStdout { get; init; }
    public bool AttachStderr { get; init; }
    public string? DetachKeys { get; init; }
    public IReadOnlyList<string>? Env { get; init; }
    public string? WorkingDir { get; init; }
    public IReadOnlyList<string>? Cmd { get; init; }
}

public sealed record ExecCreateAnswer(string Id);

/// <summary>POST /exec/{id}/start.</summary>
public sealed record ExecStartRequest
{
    public bool Detach { get; init; }
    public bool Tty { get; init; }
    public IReadOnlyList<uint>? ConsoleSize { get; init; }
}

/// <summary>GET /exec/{id}/json. ExitCode is null until the command has ended.</summary>
public sealed record ExecInspect(string ID, bool Running, int? ExitCode, ExecProcess ProcessConfig)
{
    public bool OpenStdin { get; init; }
    public bool OpenStderr { get; init; }
    public bool OpenStdout { get; init; }
    public bool CanRemove { get; init; }
    public required string ContainerID { get; init; }
    public string DetachKeys { get; init; } = "";
    public int Pid { get; init; }
}

public sealed record ExecProcess(
    [property: JsonPropertyName("tty")] bool Tty,
    [property: JsonPropertyName("entrypoint")] string Entrypoint,
    [property: JsonPropertyName("arguments")] IReadOnlyList<string> Arguments,
    [property: JsonPropertyName("privileged")] bool Privileged)
{
    [JsonPropertyName("user")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? User { get; init; }
}
