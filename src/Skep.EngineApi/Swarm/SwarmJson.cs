using System.Text.Json.Serialization;
using Skep.EngineApi.Json;
using Skep.Model.Specs;

namespace Skep.EngineApi.Swarm;

[JsonSourceGenerationOptions(
    PropertyNameCaseInsensitive = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(GoTimeConverter)])]
[JsonSerializable(typeof(SwarmInspect))]
[JsonSerializable(typeof(SwarmInitRequest))]
[JsonSerializable(typeof(SwarmJoinRequest))]
[JsonSerializable(typeof(ClusterSpec))]
[JsonSerializable(typeof(UnlockKeyAnswer))]
[JsonSerializable(typeof(string))]
public sealed partial class SwarmJson : JsonSerializerContext;
