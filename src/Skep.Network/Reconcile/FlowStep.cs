using System.Net;
using Skep.Kernel.Conntrack;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// Flows that were balanced to an endpoint that is gone are forgotten, so that a UDP client reaches another backend with its next
/// datagram and a TCP client is refused instead of waiting. Endpoints that drain are still there and keep theirs.
/// </summary>
internal static class FlowStep
{
    public static void Apply(SpacePass pass)
    {
        if (pass.Wanted.Kind != SpaceKind.Overlay || pass.Space.Applied is not { } before || ReferenceEquals(before, pass.Wanted))
        {
            return;
        }

        var gone = Endpoints(before).Except(Endpoints(pass.Wanted)).ToHashSet();
        if (gone.Count == 0)
        {
            return;
        }

        Forget(pass.Space, gone);
        // The ingress network's flows are translated in ingress_sbox.
        if (pass.Spaces.TryGet(WantedSpace.IngressSandbox, out var sandbox) && pass.Wanted.Tables.Any(t => t.Chains.Any(c => c.Name == "entrance")))
        {
            Forget(sandbox, gone);
        }
    }

    private static IEnumerable<IPAddress> Endpoints(WantedSpace space) => space.Neighbours.Select(n => n.Address);

    private static void Forget(Space space, HashSet<IPAddress> gone)
    {
        using var flows = ConntrackTable.Open(space.Namespace);
        foreach (var address in gone)
        {
            flows.Delete(new ConntrackFilter { ReplySource = address });
        }
    }
}
