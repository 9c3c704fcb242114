using System.Text.Json.Serialization;
using Skep.EngineApi.Json;
using Skep.Model.Specs;

namespace Skep.EngineApi.Networks;

/// <summary>POST /networks/create.</summary>
public sealed record NetworkCreateRequest
{
    public string? Name { get; init; }
    public string? Driver { get; init; }
    public string? Scope { get; init; }
    public bool? EnableIPv4 { get; init; }
    public bool? EnableIPv6 { get; init; }
    public IpamRequest? IPAM { get; init; }
    public bool Internal { get; init; }
    public bool Attachable { get; init; }
    public bool Ingress { get; init; }
    public bool ConfigOnly { get; init; }
    public ConfigFromShape? ConfigFrom { get; init; }
    public IReadOnlyDictionary<string, string>? Options { get; init; }
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}

public sealed record IpamRequest
{
    public string? Driver { get; init; }
    public IReadOnlyDictionary<string, string>? Options { get; init; }
    public IReadOnlyList<IpamConfig>? Config { get; init; }
}

public sealed record NetworkCreateAnswer(string Id, string Warning);

public sealed record NetworkPruneAnswer([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyList<string>? NetworksDeleted);

[JsonSourceGenerationOptions(
    PropertyNameCaseInsensitive = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(GoTimeConverter)])]
[JsonSerializable(typeof(NetworkInspect))]
[JsonSerializable(typeof(IReadOnlyList<NetworkInspect>))]
[JsonSerializable(typeof(NetworkCreateRequest))]
[JsonSerializable(typeof(NetworkCreateAnswer))]
[JsonSerializable(typeof(NetworkPruneAnswer))]
public sealed partial class NetworkJson : JsonSerializerContext;
