using System.Text.Json.Serialization;

namespace Skep.EngineApi.Containers;

/// <summary>GET /containers/{ref}/top: one row per process.</summary>
public sealed record TopAnswer(IReadOnlyList<string> Titles, IReadOnlyList<IReadOnlyList<string>> Processes);

/// <summary>POST /containers/{ref}/wait.</summary>
public sealed record WaitAnswer(int StatusCode, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] WaitError? Error);

public sealed record WaitError(string Message);

public sealed record ContainerPruneAnswer(IReadOnlyList<string>? ContainersDeleted, ulong SpaceReclaimed);
