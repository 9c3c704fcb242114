using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Model.Errors;
using Skep.Network.Desired;
using Skep.Network.Ejection;
using Skep.Network.Local;
using Skep.Network.Probes;

namespace Skep.Network;

/// <summary>Takes in what the node finds out by itself, about backends and the ways to other nodes; the kernel follows.</summary>
/// <param name="host">The host's namespace.</param>
/// <param name="options">The node's place.</param>
/// <param name="wishes">Where findings are noted.</param>
/// <param name="silence">Which nodes are silent, for the next daemon.</param>
/// <param name="passAsync">Ends when the kernel holds what follows from a wish.</param>
internal sealed class NodeFindings(NetworkNamespace host, NodeNetworkOptions options, NodeWishes wishes, SilenceMemory silence, Func<long, Task> passAsync)
{
    /// <summary>For the prober.</summary>
    public PeerReports Reports => new(ReadLink, SilentAsync, AnswersAsync, MeasuredAsync);

    /// <summary>Takes in what this node found out about backends; ends when the kernel holds what follows from it.</summary>
    public async Task LearnAsync(Func<BackendHealth, BackendHealth> learn)
    {
        if (wishes.Learn(learn) is { } wish)
        {
            await passAsync(wish);
        }
    }

    private async Task LearnSilenceAsync(Func<BackendHealth, BackendHealth> learn)
    {
        if (wishes.Learn(learn) is { } wish)
        {
            silence.Write(() => wishes.View(v => v.Health.SilentNodes));
            await passAsync(wish);
        }
    }

    /// <summary>The link to the underlay as it is now; a changed MTU is taken in.</summary>
    private (string Name, int Mtu) ReadLink()
    {
        var link = HostFacts.UnderlayLink(host, options.Vtep);
        wishes.Learn(u => u.LinkMtu == link.Mtu ? u : u with { LinkMtu = link.Mtu });
        return link;
    }

    private Task MeasuredAsync(string nodeId, int mtu)
    {
        wishes.Learn(u => u.PathMtus.GetValueOrDefault(nodeId) == mtu ? u : u with { PathMtus = u.PathMtus.SetItem(nodeId, mtu) });
        return Task.CompletedTask;
    }

    private async Task SilentAsync(string nodeId)
    {
        try
        {
            await LearnSilenceAsync(h => h.SilentNodes.Contains(nodeId) ? h : h with { SilentNodes = h.SilentNodes.Add(nodeId) });
            var (spaces, gone) = wishes.View(v => (
                DesiredState.Carried(v).Select(n => new NetworkView(v, n).SpaceName).Concat([WantedSpace.Host, WantedSpace.IngressSandbox]).ToList(), SilentBackends.On(v.Plan, nodeId)));
            StaleFlows.Forget(options, spaces, gone);
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException or NetlinkException or ClusterException or ObjectDisposedException)
        {
            // The pass that failed has told why, and the next one has the same wish.
        }
    }

    private async Task AnswersAsync(string nodeId)
    {
        try
        {
            await LearnSilenceAsync(h => h.SilentNodes.Contains(nodeId) ? h with { SilentNodes = h.SilentNodes.Remove(nodeId) } : h);
        }
        catch (Exception failure) when (failure is OperationCanceledException or ClusterException or ObjectDisposedException)
        {
            // As above.
        }
    }
}
