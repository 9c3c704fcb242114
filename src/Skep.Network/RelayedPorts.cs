using System.Collections.Immutable;
using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.Network;

/// <summary>Whether this node needs a relay: what the plan that the kernel holds says of published ports with PROXY headers.</summary>
internal sealed class RelayedPorts(NodeNetworkOptions options)
{
    private ImmutableDictionary<string, PlanService>? _services;

    /// <summary>How many ports the relay serves; their rules are there when it is told.</summary>
    public Watched<int> Count { get; } = new(0, (next, now) => next != now);

    /// <summary>Takes over a plan that the kernel holds.</summary>
    public void Update(NodePlan plan)
    {
        var services = plan.Networks.Values.FirstOrDefault(n => n.Network.Ingress)?.Services ?? ImmutableDictionary<string, PlanService>.Empty;
        if (!options.Classic && !ReferenceEquals(services, _services))
        {
            _services = services;
            Count.TryPublish(services.Values.Sum(s => RelayTables.RangesOf(s).Sum(r => (int)(r.Last - r.First + 1))));
        }
    }
}
