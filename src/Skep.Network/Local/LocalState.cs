using System.Collections.Immutable;
using System.Net;
using Skep.Network.Desired;

namespace Skep.Network.Local;

/// <summary>This node's own choices; they outlive the daemon. A value: changes make a new one.</summary>
internal sealed record LocalState
{
    /// <summary>The gateway bridge's subnet; empty until it is chosen.</summary>
    public string GatewaySubnet { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The number of each network's namespace, by network id.</summary>
    public ImmutableDictionary<string, int> SpaceNumbers { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>By container id.</summary>
    public ImmutableSortedDictionary<string, LocalSandbox> Sandboxes { get; init; } =
        ImmutableSortedDictionary.Create<string, LocalSandbox>(StringComparer.Ordinal);

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
                GatewayAddress = external ? known.GatewayAddress ?? FreeGatewayAddress() : null,
                HostPorts = hostPorts,
                Cables = cables,
            }),
        };
    }

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
