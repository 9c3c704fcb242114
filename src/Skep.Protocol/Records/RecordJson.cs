using System.Text.Json.Serialization;
using Skep.Model.Objects;
using Skep.Model.Plans;

namespace Skep.Protocol.Records;

/// <summary>
/// The one form in which an object leaves the process, to the store or to another node: JSON with the model's own names,
/// nothing written for null. A reader ignores what it does not know, so a newer node may add fields.
/// </summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SwarmCluster))]
[JsonSerializable(typeof(SwarmNode))]
[JsonSerializable(typeof(SwarmNetwork))]
[JsonSerializable(typeof(SwarmService))]
[JsonSerializable(typeof(SwarmTask))]
[JsonSerializable(typeof(SwarmTaskStatus))]
[JsonSerializable(typeof(NodeDescription))]
[JsonSerializable(typeof(PlanNetwork))]
[JsonSerializable(typeof(PlanPeer))]
[JsonSerializable(typeof(PlanEndpoint))]
[JsonSerializable(typeof(PlanService))]
[JsonSerializable(typeof(PlanKeyring))]
public sealed partial class RecordJson : JsonSerializerContext;
