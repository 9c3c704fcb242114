using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Model.Plans;
using Skep.Network.Desired;
using Skep.Network.Local;
using Skep.Network.Reconcile;
using Skep.Network.Sockets;

namespace Skep.Network;

/// <summary>Brings namespaces and sockets to what follows from a view of the node. Used by one pass at a time.</summary>
/// <param name="options">The node's place.</param>
/// <param name="reconciler">Changes namespaces.</param>
/// <param name="sockets">Changes what sockets find.</param>
/// <param name="computed">Hears of a plan once it is known what the kernel must hold for it.</param>
/// <param name="logger">The node network's.</param>
internal sealed class KernelKeeper(NodeNetworkOptions options, Reconciler reconciler, SocketBalancer sockets, Action<NodePlan> computed, ILogger logger) : IDisposable
{
    private static readonly PlanDelta s_nothing = new(NodePlan.Empty, []);

    private (NodeView? View, LocalState? Local, DesiredPicture? Picture) _computed;
    private HashSet<string> _narrow = [];

    /// <summary>The plan that was computed last; the kernel may hold an older one.</summary>
    public NodePlan? ComputedPlan => _computed.View?.Plan;

    /// <summary>What was told of the sockets; null before the first pass.</summary>
    public SocketBalancing? SocketBalancing => sockets.Balancing;

    /// <summary>Parts that the next pass is to read back.</summary>
    public void Touch(SpaceParts parts) => reconciler.Touch(parts);

    /// <summary>Whether states to send encrypted with were lost since it was last asked.</summary>
    public bool TakeLostSequences() => reconciler.TakeLostSequences();

    /// <summary>Returns what failed, by namespace.</summary>
    public async Task<ImmutableDictionary<string, Exception>> ApplyAsync(PassInput input, SpaceParts due, CancellationToken stopping)
    {
        var failed = await reconciler.ApplyAsync(input.Leaving ? DesiredState.Nothing : Wanted(input), input.Sweep || input.Leaving, stopping);
        return ApplySockets(input, due, failed);
    }

    /// <summary>Moves datagrams off endpoints that drain now. After the balancers have taken them out, and before the plan counts as applied.</summary>
    public async Task ReleaseDatagramsAsync(NodeView view, NodePlan? before, PlanDelta? delta, CancellationToken stopping)
    {
        if (!ReferenceEquals(view.Plan, before))
        {
            foreach (var (space, addresses) in DrainingEndpoints.Of(view, before, delta))
            {
                await reconciler.ReleaseAsync(space, addresses, stopping);
            }
        }
    }

    public void Dispose()
    {
        reconciler.Dispose();
        sockets.Dispose();
    }

    // After the packet rules, so that what sockets leave to them finds them.
    private ImmutableDictionary<string, Exception> ApplySockets(PassInput input, SpaceParts due, ImmutableDictionary<string, Exception> failed)
    {
        try
        {
            if (input.Leaving)
            {
                sockets.Remove();
            }
            else
            {
                sockets.Apply(_computed.Picture!, reconciler.CookieOf, Open, readBack: due.HasFlag(SpaceParts.Settings), full: due.HasFlag(SpaceParts.All));
            }

            return failed;
        }
        catch (Exception failure)
        {
            logger.PassFailed(failure);
            return failed.SetItem(SocketBalancer.Name, failure);
        }

        NetworkNamespace Open(string space) => NetworkNamespace.Open(Path.Combine(options.NamespaceFolder, space));
    }

    // A look at the kernel's state costs no new computation of what it should be.
    private WantedNode Wanted(PassInput input)
    {
        if (_computed.View is not { } last || !ReferenceEquals(_computed.Local, input.Local) || !IsSame(last, input.View))
        {
            var known = ReferenceEquals(ComputedPlan, input.View.Plan) ? s_nothing : input.Delta;
            _computed = (input.View, input.Local, DesiredPicture.Next(_computed.Picture, input.View, known));
            computed(input.View.Plan);
            TellNarrow(_computed.Picture!);
        }

        return _computed.Picture!.Wanted;
    }

    private void TellNarrow(DesiredPicture picture)
    {
        var narrow = picture.Networks.Where(n => n.IsTooNarrow).ToList();
        foreach (var network in narrow.Where(n => !_narrow.Contains(n.Network.Id)))
        {
            logger.TooNarrowForIPv6(network.Network.Name, network.Mtu);
        }

        _narrow = [.. narrow.Select(n => n.Network.Id)];
    }

    // Besides the choices of this node, from which the rest of the view comes.
    private static bool IsSame(NodeView last, NodeView now) =>
        ReferenceEquals(last.Plan, now.Plan) && ReferenceEquals(last.Health, now.Health) && ReferenceEquals(last.HeldPorts, now.HeldPorts)
        && ReferenceEquals(last.Facts.PathMtus, now.Facts.PathMtus) && last.Facts.UnderlayMtu == now.Facts.UnderlayMtu;
}
