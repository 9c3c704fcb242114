using System.Text.Json.Serialization;

namespace Skep.Model.States;

/// <summary>What the managers know of a node's agent.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NodeState>))]
public enum NodeState
{
    [JsonStringEnumMemberName("unknown")] Unknown,
    [JsonStringEnumMemberName("down")] Down,
    [JsonStringEnumMemberName("ready")] Ready,
    [JsonStringEnumMemberName("disconnected")] Disconnected,
}
