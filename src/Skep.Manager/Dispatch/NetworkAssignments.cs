using Google.Protobuf;
using Skep.Protocol.Node;

namespace Skep.Manager.Dispatch;

/// <summary>The records of one network and the nodes that take part in it.</summary>
internal sealed class NetworkAssignments(string id)
{
    private readonly Dictionary<(AssignmentKind Kind, string Id), ByteString> _records = [];
    private readonly Dictionary<string, HashSet<string>> _tasksByNode = [];
    private readonly HashSet<string> _members = [];

    public string Id { get; } = id;
    public bool Ingress { get; set; }
    public bool Encrypted { get; set; }
    public IReadOnlyCollection<string> Members => _members;

    /// <summary>The network itself is there; before, its other records wait, and no node is told of them.</summary>
    public bool Known => _records.ContainsKey((AssignmentKind.Network, Id));

    /// <summary>Nothing would be lost with it.</summary>
    public bool IsEmpty => _records.Count == 0 && _members.Count == 0 && _tasksByNode.Count == 0;

    public bool Includes(string nodeId) => _members.Contains(nodeId);

    public bool AddMember(string nodeId) => _members.Add(nodeId);

    public bool RemoveMember(string nodeId) => _members.Remove(nodeId);

    /// <summary>A task on that node needs the network.</summary>
    public bool IsHeldBy(string nodeId) => _tasksByNode.ContainsKey(nodeId);

    /// <summary>The task needs the network on its node; true when it is the first there.</summary>
    public bool Hold(string nodeId, string taskId)
    {
        if (!_tasksByNode.TryGetValue(nodeId, out var tasks))
        {
            _tasksByNode[nodeId] = tasks = [];
        }

        return tasks.Add(taskId) && tasks.Count == 1;
    }

    /// <summary>The task no longer needs it; true when it was the last there.</summary>
    public bool Release(string nodeId, string taskId)
    {
        if (!_tasksByNode.TryGetValue(nodeId, out var tasks) || !tasks.Remove(taskId) || tasks.Count > 0)
        {
            return false;
        }

        _tasksByNode.Remove(nodeId);
        return true;
    }

    /// <summary>False when the record is there already.</summary>
    public bool Put(AssignmentKind kind, string recordId, ByteString record)
    {
        if (_records.TryGetValue((kind, recordId), out var present) && present.Equals(record))
        {
            return false;
        }

        _records[(kind, recordId)] = record;
        return true;
    }

    public bool Drop(AssignmentKind kind, string recordId) => _records.Remove((kind, recordId));

    /// <summary>Everything, the network itself first.</summary>
    public IEnumerable<AssignmentChange> Records() =>
        _records.OrderBy(r => r.Key.Kind).Select(r => AssignmentIndex.Change(r.Key.Kind, Id, r.Key.Id, r.Value));
}
