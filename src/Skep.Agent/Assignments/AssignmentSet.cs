using System.Collections.Immutable;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Protocol.Node;
using Skep.Protocol.Records;

namespace Skep.Agent.Assignments;

/// <summary>What the managers want of this node, at one revision: tasks and the plan of its networks. A value.</summary>
public sealed record AssignmentSet
{
    public static readonly AssignmentSet Empty = new();

    public ImmutableDictionary<string, SwarmTask> Tasks { get; init; } = ImmutableDictionary<string, SwarmTask>.Empty;
    public NodePlan Plan { get; init; } = NodePlan.Empty;
    public ulong Revision => Plan.Revision;

    /// <summary>The set after a message. A full one replaces everything that was there.</summary>
    public AssignmentSet Apply(Protocol.Node.Assignments message)
    {
        var start = message.Full ? Empty with { Plan = NodePlan.Empty with { NodeId = Plan.NodeId, DataPathPort = Plan.DataPathPort } } : this;
        var tasks = start.Tasks.ToBuilder();
        var networks = start.Plan.Networks.ToBuilder();
        foreach (var change in message.Changes)
        {
            if (change.Kind == AssignmentKind.Task)
            {
                Put(tasks, change.Id, change.Record, RecordJson.Default.SwarmTask);
            }
            else if (change.Kind == AssignmentKind.Network)
            {
                PutNetwork(networks, change);
            }
            else if (networks.TryGetValue(change.NetworkId, out var network))
            {
                networks[change.NetworkId] = Put(network, change);
            }
        }

        return new AssignmentSet
        {
            Tasks = tasks.ToImmutable(),
            Plan = start.Plan with { Revision = message.Revision, Networks = networks.ToImmutable() },
        };
    }

    /// <summary>The message that makes this set from nothing.</summary>
    public Protocol.Node.Assignments ToMessage()
    {
        var message = new Protocol.Node.Assignments { Full = true, Revision = Revision };
        foreach (var network in Plan.Networks.Values)
        {
            var id = network.Network.Id;
            Add(message, AssignmentKind.Network, id, id, network.Network, RecordJson.Default.PlanNetwork);
            AddAll(message, AssignmentKind.Peer, id, network.Peers, RecordJson.Default.PlanPeer);
            AddAll(message, AssignmentKind.Endpoint, id, network.Endpoints, RecordJson.Default.PlanEndpoint);
            AddAll(message, AssignmentKind.Service, id, network.Services, RecordJson.Default.PlanService);
        }

        AddAll(message, AssignmentKind.Task, "", Tasks, RecordJson.Default.SwarmTask);
        return message;
    }

    private static void AddAll<T>(
        Protocol.Node.Assignments message, AssignmentKind kind, string networkId, ImmutableDictionary<string, T> map, JsonTypeInfo<T> type)
    {
        foreach (var (id, value) in map)
        {
            Add(message, kind, networkId, id, value, type);
        }
    }

    private static void Add<T>(Protocol.Node.Assignments message, AssignmentKind kind, string networkId, string id, T value, JsonTypeInfo<T> type) =>
        message.Changes.Add(new AssignmentChange
        {
            Kind = kind,
            NetworkId = networkId,
            Id = id,
            Record = ByteString.CopyFrom(RecordCodec.Encode(value, type)),
        });

    private static void PutNetwork(ImmutableDictionary<string, NetworkPlan>.Builder networks, AssignmentChange change)
    {
        if (change.Record.IsEmpty)
        {
            networks.Remove(change.Id);
            return;
        }

        var record = RecordCodec.Decode(change.Record.Span, RecordJson.Default.PlanNetwork);
        networks[change.Id] = networks.TryGetValue(change.Id, out var known) ? known with { Network = record } : new NetworkPlan(record);
    }

    private static NetworkPlan Put(NetworkPlan network, AssignmentChange change) => change.Kind switch
    {
        AssignmentKind.Peer => network with { Peers = Put(network.Peers, change, RecordJson.Default.PlanPeer) },
        AssignmentKind.Endpoint => network with { Endpoints = Put(network.Endpoints, change, RecordJson.Default.PlanEndpoint) },
        AssignmentKind.Service => network with { Services = Put(network.Services, change, RecordJson.Default.PlanService) },
        _ => network,
    };

    private static ImmutableDictionary<string, T> Put<T>(
        ImmutableDictionary<string, T> map,
        AssignmentChange change,
        JsonTypeInfo<T> type)
        where T : class =>
        change.Record.IsEmpty ? map.Remove(change.Id) : map.SetItem(change.Id, RecordCodec.Decode(change.Record.Span, type));

    private static void Put<T>(
        ImmutableDictionary<string, T>.Builder map,
        string id,
        ByteString record,
        JsonTypeInfo<T> type)
        where T : class
    {
        if (record.IsEmpty)
        {
            map.Remove(id);
        }
        else
        {
            map[id] = RecordCodec.Decode(record.Span, type);
        }
    }
}
