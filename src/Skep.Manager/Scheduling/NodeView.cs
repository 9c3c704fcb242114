using Skep.Model.Objects;

namespace Skep.Manager.Scheduling;

/// <summary>A node with what is left of it. Written by the book alone.</summary>
public sealed class NodeView(string id)
{
    private readonly Dictionary<string, int> _perService = [];
    private readonly Dictionary<(string Protocol, uint Port), int> _hostPorts = [];
    private readonly Dictionary<string, long> _usedGeneric = [];

    public string Id { get; } = id;

    /// <summary>Null while tasks name a node that does not exist.</summary>
    public SwarmNode? Node { get; set; }

    public long UsedNanoCpus { get; private set; }
    public long UsedMemory { get; private set; }

    /// <summary>Tasks that run here, or shall.</summary>
    public int Active { get; private set; }

    public long FreeNanoCpus => (Node?.Description?.Resources.NanoCPUs ?? 0) - UsedNanoCpus;
    public long FreeMemory => (Node?.Description?.Resources.MemoryBytes ?? 0) - UsedMemory;

    public int TasksOf(string serviceId) => _perService.GetValueOrDefault(serviceId);

    public bool UsesHostPort((string Protocol, uint Port) port) => _hostPorts.ContainsKey(port);

    public long FreeGeneric(string kind) => Total(kind) - _usedGeneric.GetValueOrDefault(kind);

    public void Add(TaskShare share) => Count(share, 1);

    public void Subtract(TaskShare share) => Count(share, -1);

    private void Count(TaskShare share, int sign)
    {
        if (share.Active)
        {
            Active += sign;
            Bump(_perService, share.ServiceId, sign);
            UsedNanoCpus += sign * (share.Reservations?.NanoCPUs ?? 0);
            UsedMemory += sign * (share.Reservations?.MemoryBytes ?? 0);
            foreach (var one in share.Reservations?.GenericResources ?? [])
            {
                if (one.DiscreteResourceSpec is { } discrete)
                {
                    _usedGeneric[discrete.Kind] = _usedGeneric.GetValueOrDefault(discrete.Kind) + (sign * discrete.Value);
                }
            }
        }

        foreach (var port in share.HostPorts)
        {
            Bump(_hostPorts, port, sign);
        }
    }

    private long Total(string kind)
    {
        long total = 0;
        foreach (var one in Node?.Description?.Resources.GenericResources ?? [])
        {
            total += one.DiscreteResourceSpec?.Kind == kind ? one.DiscreteResourceSpec.Value : 0;
            total += one.NamedResourceSpec?.Kind == kind ? 1 : 0;
        }

        return total;
    }

    private static void Bump<TKey>(Dictionary<TKey, int> counts, TKey key, int sign)
        where TKey : notnull
    {
        var next = counts.GetValueOrDefault(key) + sign;
        if (next == 0)
        {
            counts.Remove(key);
        }
        else
        {
            counts[key] = next;
        }
    }
}
