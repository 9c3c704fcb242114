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

    /// <summary>Which records of the plan the last message named; null when it was the whole.</summary>
    public PlanDelta? Delta { get; init; }

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

        var keysChanged = message.Full || message.Changes.Any(c => c.Kind is AssignmentKind.Keys or AssignmentKind.Network);
        return new AssignmentSet
        {
            Delta = DeltaOf(message),
            Tasks = tasks.ToImmutable(),
            Plan = start.Plan with
            {
                Revision = message.Revision,
                Networks = networks.ToImmutable(),
                Keyring = keysChanged ? networks.Values.FirstOrDefault(n => n.Keyring is not null)?.Keyring : start.Plan.Keyring,
            },
        };
    }

    /// <summary>The message that makes this set from nothing, but for the keys: it is for the disk.</summary>
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

    // Of a kind that is no record of a network, nobody here knows what it may change.
    private PlanDelta? DeltaOf(Protocol.Node.Assignments message)
    {
        var changes = message.Changes.Where(c => c.Kind != AssignmentKind.Task).Select(KeyOf).ToList();
        return message.Full || changes.Contains(null) ? null : new PlanDelta(Plan, [.. changes.OfType<PlanRecordKey>()]);
    }

    private static PlanRecordKey? KeyOf(AssignmentChange change) => change.Kind switch
    {
        AssignmentKind.Network => new PlanRecordKey(PlanPart.Network, change.Id, change.Id),
        AssignmentKind.Peer => new PlanRecordKey(PlanPart.Peer, change.NetworkId, change.Id),
        AssignmentKind.Endpoint => new PlanRecordKey(PlanPart.Endpoint, change.NetworkId, change.Id),
        AssignmentKind.Service => new PlanRecordKey(PlanPart.Service, change.NetworkId, change.Id),
        _ => null,
    };

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
        AssignmentKind.Keys => network with { Keyring = change.Record.IsEmpty ? null : RecordCodec.Decode(change.Record.Span, RecordJson.Default.PlanKeyring) },
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
