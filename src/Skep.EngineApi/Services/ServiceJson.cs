using System.Text.Json.Serialization;
using Skep.EngineApi.Json;
using Skep.Model.Specs;

namespace Skep.EngineApi.Services;

[JsonSourceGenerationOptions(
    PropertyNameCaseInsensitive = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(GoTimeConverter)])]
[JsonSerializable(typeof(ServiceInspect))]
[JsonSerializable(typeof(IReadOnlyList<ServiceInspect>))]
[JsonSerializable(typeof(ServiceSpec))]
[JsonSerializable(typeof(ServiceCreateAnswer))]
[JsonSerializable(typeof(ServiceUpdateAnswer))]
public sealed partial class ServiceJson : JsonSerializerContext;
