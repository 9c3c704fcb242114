using System.Net.Sockets;
using Skep.Manager.Orchestration;
using Skep.Model.Objects;

namespace Skep.Manager.Allocation;

/// <summary>
/// The second stage: addresses, ports and identifiers. They are committed in the same transaction as the object that has them, and
/// the book of what is in use is only a reading of the store, so no leader can give the same address twice.
/// </summary>
public sealed class Allocator
{
    /// <summary>Services without an endpoint, and why.</summary>
    private readonly Dictionary<string, string> _waiting = [];

    /// <summary>Services that a freed address, port or network may help.</summary>
    public IReadOnlyCollection<string> Waiting => _waiting.Keys;

    public static void AllocateNetworks(WorkingSet work, IEnumerable<string> networkIds)
    {
        // The ingress network comes first, so that the first subnet and the first identifier of a swarm are its own.
        foreach (var network in networkIds.Select(work.Network).OfType<SwarmNetwork>()
            .OrderByDescending(n => n.Spec.Ingress).ThenBy(n => n.CreatedAt).ThenBy(n => n.Id, StringComparer.Ordinal))
        {
            NetworkAllocator.Allocate(work, network);
        }
    }

    /// <summary>Each node's place on the ingress network.</summary>
    public static void AllocateNodes(WorkingSet work, IEnumerable<string> nodeIds)
    {
        if (work.IngressNetwork is not { } ingress || !NetworkAllocator.IsAllocated(ingress))
        {
            return;
        }

        var pool = work.Books.Addresses.Pool(ingress.Id);
        foreach (var node in nodeIds.Order(StringComparer.Ordinal).Select(work.Node).OfType<SwarmNode>())
        {
            var next = node with
            {
                IngressAddress = Place(node, node.IngressAddress, AddressFamily.InterNetwork),
                IngressAddress6 = Place(node, node.IngressAddress6, AddressFamily.InterNetworkV6),
            };
            if (next != node)
            {
                work.Update(next);
            }
        }

        string? Place(SwarmNode node, string? has, AddressFamily family) =>
            has is not null && pool.Covers(has) && pool.OwnerOf(has) == node.Id ? has
            : pool.Families.Contains(family) ? work.Books.Addresses.Take(ingress.Id, node.Id, family) ?? has
            : null;
    }

    public void AllocateService(WorkingSet work, string serviceId)
    {
        _waiting.Remove(serviceId);
        if (work.Service(serviceId) is { } service && EndpointAllocator.Allocate(work, service) is { } error)
        {
            _waiting[serviceId] = error;
        }
    }

    public void AllocateTasks(WorkingSet work)
    {
        foreach (var task in work.Books.Unallocated.Select(work.Task).OfType<SwarmTask>()
            .OrderBy(t => t.CreatedAt).ThenBy(t => t.ServiceId, StringComparer.Ordinal).ThenBy(t => t.Slot).ThenBy(t => t.Id, StringComparer.Ordinal).ToArray())
        {
            TaskAllocator.Allocate(work, task, _waiting.GetValueOrDefault(task.ServiceId));
        }
    }
}
