using System.Text.Json.Serialization;
using Skep.EngineApi.Json;

namespace Skep.EngineApi.Containers;

[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true, Converters = [typeof(GoTimeConverter)])]
[JsonSerializable(typeof(IReadOnlyList<ContainerSummary>))]
[JsonSerializable(typeof(ContainerInspect))]
[JsonSerializable(typeof(TopAnswer))]
[JsonSerializable(typeof(WaitAnswer))]
[JsonSerializable(typeof(ContainerPruneAnswer))]
[JsonSerializable(typeof(ExecCreateRequest))]
[JsonSerializable(typeof(ExecCreateAnswer))]
[JsonSerializable(typeof(ExecStartRequest))]
[JsonSerializable(typeof(ExecInspect))]
public sealed partial class ContainerJson : JsonSerializerContext;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(GoTimeConverter)])]
[JsonSerializable(typeof(ContainerStats))]
public sealed partial class StatsJson : JsonSerializerContext;
