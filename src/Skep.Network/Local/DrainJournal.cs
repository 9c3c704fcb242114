using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Skep.Model.Plans;

namespace Skep.Network.Local;

/// <summary>
/// Endpoints that left balancing since the plan on disk was written. It is small, and on disk before anybody hears that the kernel holds their plan:
/// a daemon that is killed begins with the older one and sends them nothing new all the same.
/// </summary>
internal sealed class DrainJournal(LocalStateFile file, ILogger logger)
{
    private ImmutableArray<DrainedEndpoint> _entries = file.ReadDrained();

    /// <summary>Notes what takes no new flows in a plan and did in the one before.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="delta">What differs in it; null when that is not known, as after a start, when the managers have just told everything.</param>
    /// <param name="written">The revision of the plan on disk, whose drains stand in itself.</param>
    public void Note(NodePlan plan, PlanDelta? delta, ulong written)
    {
        var left = delta?.Keys.Where(k => k.Part == PlanPart.Endpoint && IsActive(delta.Before, k) && !IsActive(plan, k))
            .Select(k => new DrainedEndpoint(plan.Revision, k.NetworkId, k.Id)).ToList();
        if (left is not { Count: > 0 })
        {
            return;
        }

        _entries = [.. _entries.Where(e => e.Revision > written && e.Revision < plan.Revision), .. left];
        try
        {
            file.Write(new DrainedEndpoints(_entries));
        }
        catch (IOException full)
        {
            logger.PlanNotSaved(full.Message);
        }
    }

    /// <summary>A plan from disk, in which those drain that left later.</summary>
    public NodePlan Apply(NodePlan plan)
    {
        foreach (var left in _entries.Where(e => e.Revision > plan.Revision))
        {
            if (plan.Networks.TryGetValue(left.NetworkId, out var network) && network.Endpoints.TryGetValue(left.TaskId, out var endpoint))
            {
                var endpoints = network.Endpoints.SetItem(left.TaskId, endpoint with { State = EndpointState.Draining });
                plan = plan with { Networks = plan.Networks.SetItem(left.NetworkId, network with { Endpoints = endpoints }) };
            }
        }

        return plan;
    }

    private static bool IsActive(NodePlan plan, PlanRecordKey key) =>
        plan.Networks.GetValueOrDefault(key.NetworkId)?.Endpoints.GetValueOrDefault(key.Id)?.State == EndpointState.Active;
}

/// <summary>It took no new flows from that revision on.</summary>
internal readonly record struct DrainedEndpoint(ulong Revision, string NetworkId, string TaskId);

/// <summary>The journal's file.</summary>
internal sealed record DrainedEndpoints(ImmutableArray<DrainedEndpoint> Entries);
