using System.Runtime;
using Skep.Model.Plans;

namespace Skep.Network;

/// <summary>
/// While a plan is taken in that is larger by thousands of endpoints than the last that was computed, nothing is collected: what is built stays, and each
/// collection would copy it once more, which is a third of the time. The memory comes from the system at once, if four times as much is free.
/// </summary>
internal sealed class UnbrokenGrowth : IDisposable
{
    // What a pass allocates for each endpoint that is new to it, with room to spare: up to 440 MiB for 20 000 (docs/bench.md).
    private const long BytesOfEndpoint = 24 << 10;
    private const int Large = 2000;

    private UnbrokenGrowth()
    {
    }

    /// <summary>Begins, or returns null when the plan has not grown by much or memory is short.</summary>
    public static UnbrokenGrowth? From(NodePlan? before, NodePlan plan)
    {
        var endpoints = EndpointsOf(plan) - (before is null ? 0 : EndpointsOf(before));
        var needed = endpoints * BytesOfEndpoint;
        var memory = GC.GetGCMemoryInfo(GCKind.Any);
        if (endpoints < Large || memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes < needed * 4)
        {
            return null;
        }

        try
        {
            return GC.TryStartNoGCRegion(needed) ? new UnbrokenGrowth() : null;
        }
        catch (Exception refused) when (refused is InvalidOperationException or ArgumentOutOfRangeException)
        {
            // Somebody else in this process is at it, or it is more than the runtime gives.
            return null;
        }
    }

    public void Dispose()
    {
        try
        {
            if (GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
            {
                GC.EndNoGCRegion();
            }
        }
        catch (InvalidOperationException)
        {
            // More was allocated than thought; the collection that followed has ended it.
        }
    }

    private static int EndpointsOf(NodePlan plan) => plan.Networks.Values.Sum(n => n.Endpoints.Count);
}
