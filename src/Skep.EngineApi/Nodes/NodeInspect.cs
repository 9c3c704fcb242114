using System.Text.Json.Serialization;
using Skep.EngineApi.Json;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.EngineApi.Nodes;

/// <summary>GET /nodes/{ref}; ManagerStatus is absent on workers.</summary>
public sealed record NodeInspect(string ID, ObjectVersion Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, NodeSpec Spec)
{
    public NodeDescription? Description { get; init; }
    public required NodeStatusShape Status { get; init; }
    public ManagerStatusShape? ManagerStatus { get; init; }

    public static NodeInspect Of(SwarmNode node) => new(node.Id, ObjectVersion.Of(node), node.CreatedAt, node.UpdatedAt, node.Spec)
    {
        Description = node.Description,
        Status = new NodeStatusShape(node.Status.State, string.IsNullOrEmpty(node.Status.Message) ? null : node.Status.Message, node.Status.Addr),
        ManagerStatus = node.ManagerStatus is { } manager
            ? new ManagerStatusShape(manager.Leader ? true : null, manager.Reachability, manager.Addr)
            : null,
    };
}

public sealed record NodeStatusShape(NodeState State, string? Message, string Addr);

/// <summary>Leader is absent when it is not one.</summary>
public sealed record ManagerStatusShape(bool? Leader, string Reachability, string Addr);

[JsonSourceGenerationOptions(
    PropertyNameCaseInsensitive = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(GoTimeConverter)])]
[JsonSerializable(typeof(NodeInspect))]
[JsonSerializable(typeof(IReadOnlyList<NodeInspect>))]
[JsonSerializable(typeof(NodeSpec))]
public sealed partial class NodeJson : JsonSerializerContext;
