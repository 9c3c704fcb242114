using System.Collections.Immutable;
using System.Net;
using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.Network.Local;

/// <summary>This node's own choices; they outlive the daemon. A value: changes make a new one.</summary>
internal sealed record LocalState
{
    private const int FirstMark = 256;

    /// <summary>The gateway bridge's subnet; empty until it is chosen.</summary>
    public string GatewaySubnet { get; init; } = "";

    /// <summary>Its IPv6 subnet; empty until the host has IPv6.</summary>
    public string GatewaySubnet6 { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Part of the keys of what this node sends; chosen anew when its kernel has lost them. No secret.</summary>
    public string CipherGeneration { get; init; } = "";

    /// <summary>The number of each network's namespace, by network id.</summary>
    public ImmutableDictionary<string, int> SpaceNumbers { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>The firewall mark of each service that the classic data plane balances, by <c>network id/service id</c>.</summary>
    public ImmutableDictionary<string, uint> Marks { get; init; } = ImmutableDictionary<string, uint>.Empty;

    /// <summary>By container id.</summary>
    public ImmutableSortedDictionary<string, LocalSandbox> Sandboxes { get; init; } =
        ImmutableSortedDictionary.Create<string, LocalSandbox>(StringComparer.Ordinal);

    /// <summary>
    /// Tasks whose container has ended here while the plan still counts on them. Without a manager nobody else takes them out of balancing.
    /// </summary>
    // A file of an earlier version has none.
    public ImmutableHashSet<string> Ended { get; init => field = value ?? []; } = [];

    /// <summary>A container has gone, and its task's place with it.</summary>
    public LocalState WithoutSandbox(string containerId) => Sandboxes.TryGetValue(containerId, out var sandbox)
        ? this with { Sandboxes = Sandboxes.Remove(containerId), Ended = Ended.Add(sandbox.Request.TaskId) }
        : this;

    /// <summary>Forgets ended tasks that the plan leaves out as well.</summary>
    public LocalState WithEnded(NodePlan plan)
    {
        var known = Ended.Where(t => !plan.Networks.Values.Any(n => n.Endpoints.TryGetValue(t, out var e) && e.State == EndpointState.Active && e.NodeId == plan.NodeId)).ToList();
        return known.Count == 0 ? this : this with { Ended = Ended.Except(known) };
    }

    /// <summary>Gives every network that is carried now a number, in the order in which they came; forgets those of the others.</summary>
    public LocalState WithNumbers(IEnumerable<string> networkIds)
    {
        var carried = networkIds.ToList();
        var numbers = SpaceNumbers.RemoveRange(SpaceNumbers.Keys.Except(carried, StringComparer.Ordinal));
        foreach (var id in carried.Where(id => !numbers.ContainsKey(id)))
        {
            numbers = numbers.Add(id, FirstFree(numbers.Values, 1));
        }

        return this with { SpaceNumbers = numbers };
    }

    /// <summary>Gives every service that is balanced now a mark, from 256 on as Docker counts them; forgets those of the others.</summary>
    public LocalState WithMarks(IEnumerable<string> keys)
    {
        var balanced = keys.ToList();
        var marks = Marks.RemoveRange(Marks.Keys.Except(balanced, StringComparer.Ordinal));
        foreach (var key in balanced.Where(key => !marks.ContainsKey(key)))
        {
            marks = marks.Add(key, (uint)FirstFree(marks.Values.Select(mark => (int)mark), FirstMark));
        }

        return marks == Marks ? this : this with { Marks = marks };
    }

    /// <summary>Makes this node's choices for a new sandbox, or keeps those that it has. Host ports are numbered already.</summary>
    public LocalState WithSandbox(SandboxRequest request, IReadOnlyList<Model.Specs.PortConfig> hostPorts)
    {
        var known = Sandboxes.GetValueOrDefault(request.ContainerId) ?? new LocalSandbox(request);
        var cables = request.Attachments.ToImmutableDictionary(
            a => a.Network.Id,
            a => known.Cables.TryGetValue(a.Network.Id, out var number) ? number : FirstFreeCable(a.Network));
        var external = request.Attachments.Count == 0 || request.Attachments.Any(a => !a.Network.Internal);
        return this with
        {
            Sandboxes = Sandboxes.SetItem(request.ContainerId, new LocalSandbox(request)
            {
                Access = known.Access,
                GatewayAddress = external ? known.GatewayAddress ?? FreeGatewayAddress() : null,
                HostPorts = hostPorts,
                Cables = cables,
            }),
            Ended = Ended.Remove(request.TaskId),
        };
    }

    /// <summary>The containers of which <paramref name="other"/> does not know, or knows another request.</summary>
    public IEnumerable<LocalSandbox> NotIn(LocalState other) =>
        ReferenceEquals(Sandboxes, other.Sandboxes) ? [] : Sandboxes.Values.Where(s => other.Sandboxes.GetValueOrDefault(s.Request.ContainerId)?.Request != s.Request);

    /// <summary>
    /// These choices with none for a container but those that <paramref name="durable"/> has. What follows from the plan or can be found anew is the
    /// newest all the same.
    /// </summary>
    public LocalState Within(LocalState durable)
    {
        var sandboxes = Sandboxes;
        foreach (var id in NotIn(durable).Select(s => s.Request.ContainerId).ToList())
        {
            sandboxes = durable.Sandboxes.TryGetValue(id, out var known) ? sandboxes.SetItem(id, known) : sandboxes.Remove(id);
        }

        return ReferenceEquals(sandboxes, Sandboxes) ? this : this with { Sandboxes = sandboxes };
    }

    /// <summary>Takes over what the plan says of the services of sandboxes with host ports; a service that it does not know keeps what was said.</summary>
    public LocalState WithAccess(NodePlan plan)
    {
        var hosted = Sandboxes.Where(s => s.Value.HostPorts.Count > 0).ToList();
        var services = hosted.Count == 0 ? null : plan.IngressServices;
        var sandboxes = Sandboxes;
        foreach (var (id, sandbox) in services is null ? [] : hosted)
        {
            if (services!.TryGetValue(sandbox.Request.ServiceId, out var service) && !Same(service.Access, sandbox.Access))
            {
                sandboxes = sandboxes.SetItem(id, sandbox with { Access = service.Access });
            }
        }

        return ReferenceEquals(sandboxes, Sandboxes) ? this : this with { Sandboxes = sandboxes };
    }

    private static bool Same(IReadOnlyList<PlanPortAccess>? one, IReadOnlyList<PlanPortAccess>? other) =>
        ReferenceEquals(one, other) || (one is not null && other is not null && one.SequenceEqual(other));

    private static int FirstFree(IEnumerable<int> taken, int first)
    {
        var used = taken.ToHashSet();
        while (used.Contains(first))
        {
            first++;
        }

        return first;
    }

    // On the ingress network veth0 is always ingress_sbox's.
    private int FirstFreeCable(Model.Plans.PlanNetwork network) =>
        FirstFree(Sandboxes.Values.SelectMany(s => s.Cables).Where(c => c.Key == network.Id).Select(c => c.Value), network.Ingress ? 1 : 0);

    // .1 is the bridge's and .2 ingress_sbox's.
    private string FreeGatewayAddress()
    {
        var subnet = IPNetwork.Parse(GatewaySubnet);
        var used = Sandboxes.Values.Select(s => s.GatewayAddress).ToHashSet();
        for (uint i = 3; ; i++)
        {
            var address = $"{Addressing.Nth(subnet, i)}/{subnet.PrefixLength}";
            if (!used.Contains(address))
            {
                return address;
            }
        }
    }
}
