using System.Text.Json.Serialization;

namespace Skep.Daemon.Http.Infrastructure;

internal sealed record ErrorBody([property: JsonPropertyName("message")] string Message);

[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(Dictionary<string, Dictionary<string, bool>>))]
[JsonSerializable(typeof(Dictionary<string, string[]>))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class InfrastructureJson : JsonSerializerContext;
