using System.Net.Sockets;
using Skep.Manager.Orchestration;
using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Allocation;

/// <summary>
/// The classic data plane balances in a namespace with an address of its own on each network that the node has tasks on. An
/// address that cannot be had is tried again with the node's next change; until then its tasks reach others by address, not by VIP.
/// </summary>
public static class BalancerAllocator
{
    public static void Allocate(WorkingSet work, string nodeId)
    {
        if (work.Node(nodeId) is not { } node || (node.BalancerAddresses is null && !IsClassic(node)))
        {
            return;
        }

        var needed = IsClassic(node) ? Networks(work, nodeId) : [];
        var has = node.BalancerAddresses ?? new Dictionary<string, string>();
        if (needed.SetEquals(has.Keys))
        {
            return;
        }

        var next = has.Where(h => needed.Contains(h.Key)).ToDictionary(h => h.Key, h => h.Value);
        foreach (var networkId in needed.Where(id => !has.ContainsKey(id)).Order(StringComparer.Ordinal))
        {
            if (work.Books.Addresses.Take(networkId, nodeId, AddressFamily.InterNetwork) is { } address)
            {
                next[networkId] = address;
            }
        }

        if (next.Count != has.Count || next.Keys.Any(id => !has.ContainsKey(id)))
        {
            work.Update(node with { BalancerAddresses = next.Count == 0 ? null : next });
        }
    }

    private static bool IsClassic(SwarmNode node) => node.Description?.DataPlane == NodeDescription.ClassicDataPlane;

    // On the ingress network ingress_sbox is the load balancer, and has its address.
    private static HashSet<string> Networks(WorkingSet work, string nodeId) =>
    [
        .. work.View.TasksOnNode(nodeId)
            .Select(t => work.Task(t.Id)).OfType<SwarmTask>()
            .Where(t => t.Status.State <= TaskState.Running)
            .SelectMany(t => t.Attachments)
            .Select(a => a.NetworkId).Distinct()
            .Where(id => work.Network(id) is { Spec.Ingress: false } network && NetworkAllocator.IsOverlay(network) && NetworkAllocator.IsAllocated(network)),
    ];
}
