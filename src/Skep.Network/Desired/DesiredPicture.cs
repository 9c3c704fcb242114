using System.Collections.Immutable;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>
/// What the kernel must hold, with all that the next change can be computed from. A value. A change of services, endpoints, peers and
/// sandboxes, and of what the node found out, computes their shares anew and keeps all others; any other change computes everything.
/// </summary>
public sealed class DesiredPicture
{
    private readonly NodeView _node;
    private readonly ImmutableArray<NetworkView> _networks;
    private readonly NodeView? _before;
    private readonly ImmutableArray<ShareKey> _touched;

    private DesiredPicture(NodeView node, ImmutableArray<NetworkView> networks, WantedNode wanted, NodeView? before = null, ImmutableArray<ShareKey> touched = default) =>
        (_node, _networks, Wanted, _before, _touched) = (node, networks, wanted, before, touched);

    public WantedNode Wanted { get; }

    /// <summary>What it follows from.</summary>
    public NodeView Node => _node;

    /// <summary>The networks that the node carries.</summary>
    internal ImmutableArray<NetworkView> Networks => _networks;

    /// <summary>The services that may be balanced otherwise than in the picture of that view; null when that is not known.</summary>
    public IEnumerable<ShareKey>? ServicesSince(NodeView? view) => view is not null && ReferenceEquals(view, _before) ? _touched : null;

    /// <param name="before">The picture before; null = there is none.</param>
    /// <param name="node">What it follows from now.</param>
    /// <param name="delta">What differs in its plan from that of <paramref name="before"/>; null = unknown.</param>
    public static DesiredPicture Next(DesiredPicture? before, NodeView node, PlanDelta? delta)
    {
        ArgumentNullException.ThrowIfNull(node);
        return before is not null && delta is not null && before.CanFollow(node, delta)
            ? before.Changed(node, delta)
            : Whole(before, node);
    }

    private static DesiredPicture Whole(DesiredPicture? before, NodeView node)
    {
        var networks = DesiredState.Networks(node);
        var known = (before?.Wanted.Spaces ?? []).ToDictionary(s => s.Name, StringComparer.Ordinal);
        // A namespace for which the same is wished keeps its value: nobody has to look at it.
        var spaces = DesiredState.Parts(node, networks).Select(s => known.TryGetValue(s.Name, out var old) && old.Same(s) ? old : s);
        return new DesiredPicture(node, networks, new WantedNode([.. spaces]));
    }

    // Networks that come and go, this node's own places and the classic data plane concern nearly everything; they change seldom.
    private bool CanFollow(NodeView node, PlanDelta delta) =>
        !node.Facts.Classic && (node.Facts with { UnderlayMtu = _node.Facts.UnderlayMtu, PathMtus = _node.Facts.PathMtus }) == _node.Facts
        && SameButForNetworks(node.Plan, _node.Plan)
        && delta.Keys.All(k => k.Part != PlanPart.Network && (k.Part != PlanPart.Peer || k.Id != node.Plan.NodeId))
        && _networks.Select(n => (n.Network.Id, n.HasPlan)).SequenceEqual(DesiredState.Carried(node).Select(n => (n.Id, node.Plan.Networks.ContainsKey(n.Id))));

    // Whatever a plan has beside its networks concerns all of them.
    private static bool SameButForNetworks(NodePlan one, NodePlan other) =>
        one with { Revision = 0, Networks = other.Networks } == other with { Revision = 0 };

    private DesiredPicture Changed(NodeView node, PlanDelta delta)
    {
        var keys = delta.Keys.ToLookup(k => k.NetworkId, StringComparer.Ordinal);
        var others = !ReferenceEquals(_node.Sandboxes, node.Sandboxes) || !ReferenceEquals(_node.Health, node.Health)
            || !ReferenceEquals(_node.Ended, node.Ended) || !ReferenceEquals(_node.Ejected, node.Ejected) || _node.Facts != node.Facts;
        var networks = _networks.Select(n => others || keys.Contains(n.Network.Id) ? n.Next(node, [.. keys[n.Network.Id]]) : n).ToImmutableArray();
        // How large packets may be is a setting of all links of a network.
        if ((_node.Facts != node.Facts || delta.Keys.Any(k => k.Part == PlanPart.Peer)) && networks.Zip(_networks).Any(n => n.First.Mtu != n.Second.Mtu))
        {
            return Whole(this, node);
        }

        var sandboxes = ReferenceEquals(_node.Sandboxes, node.Sandboxes) ? [] : Differing(_node.Sandboxes, node.Sandboxes);
        var (changes, services) = (new ShareChanges(), ImmutableArray.CreateBuilder<ShareKey>());
        foreach (var (network, before) in networks.Zip(_networks).Where(n => !ReferenceEquals(n.First, n.Second)))
        {
            var touched = TouchedShares.Between(_node, node, before, network, [.. keys[network.Network.Id]]);
            Change(changes, node, network, touched, sandboxes);
            services.AddRange(touched.Services);
        }

        foreach (var id in sandboxes)
        {
            changes.Set(WantedSpace.Host, KeyOf(id), node.Sandboxes.TryGetValue(id, out var local) ? HostSpace.Share(node.Facts, local) : null);
        }

        if (!ReferenceEquals(_node.HeldPorts, node.HeldPorts) && networks.FirstOrDefault(n => n.OwnIngressAddress is not null) is { } ingress)
        {
            foreach (var service in ingress.Plan.Services.Values.Where(s => s.Ports.Count > 0))
            {
                changes.Set(WantedSpace.Host, new ShareKey(ShareSource.Service, ingress.Network.Id, service.ServiceId), HostSpace.Share(node, ingress, service));
            }
        }

        return new DesiredPicture(node, networks, new WantedNode(Spaces(changes, node, networks, sandboxes)), _node, services.ToImmutable());
    }

    private static void Change(ShareChanges changes, NodeView node, NetworkView network, TouchedShares touched, HashSet<string> sandboxes)
    {
        changes.Set(network.SpaceName, touched.Keys, k => k.Source switch
        {
            ShareSource.Service => network.Plan.Services.TryGetValue(k.Id, out var service) ? OverlaySpace.Share(network, service) : null,
            ShareSource.Endpoint => network.Plan.Endpoints.TryGetValue(k.Id, out var endpoint) ? OverlaySpace.Share(network, endpoint) : null,
            _ => network.Plan.Peers.TryGetValue(k.Id, out var peer) ? OverlaySpace.Share(network, peer) : null,
        });
        changes.Set(network.SpaceName, sandboxes.Select(KeyOf), k =>
            network.Locals.FirstOrDefault(l => l.Request.ContainerId == k.Id) is { } local ? OverlaySpace.Share(network, local) : null);
        changes.Set(WantedSpace.Host, touched.Peers, k => network.Plan.Peers.TryGetValue(k.Id, out var peer) ? HostSpace.Share(node, network.Network, peer) : null);
        if (network.OwnIngressAddress is not null)
        {
            changes.Set(WantedSpace.Host, touched.Services, k => network.Plan.Services.TryGetValue(k.Id, out var service) ? HostSpace.Share(node, network, service) : null);
            changes.Set(WantedSpace.IngressSandbox, touched.Services, k => network.Plan.Services.TryGetValue(k.Id, out var service) ? IngressSpace.Share(network, service) : null);
        }

        foreach (var local in network.Locals.Where(_ => network.Network.Ingress))
        {
            changes.Set(local.SpaceName, touched.Peers, k => network.Plan.Peers.TryGetValue(k.Id, out var peer) ? ContainerSpace.Share(local, network, peer) : null);
        }
    }

    // Containers' namespaces come last, in the order of the containers' ids.
    private ImmutableArray<WantedParts> Spaces(ShareChanges changes, NodeView node, ImmutableArray<NetworkView> networks, HashSet<string> sandboxes)
    {
        var before = _node.Sandboxes.Values.Select(s => s.SpaceName).ToHashSet(StringComparer.Ordinal);
        var containers = Wanted.Spaces.Where(s => before.Contains(s.Name)).ToDictionary(s => s.Name, StringComparer.Ordinal);
        return
        [
            .. Wanted.Spaces.Where(s => !before.Contains(s.Name)).Select(changes.Apply),
            .. node.Sandboxes.Values.Select(s => sandboxes.Contains(s.Request.ContainerId)
                ? new WantedParts(ContainerSpace.Of(node, s, networks), ContainerSpace.Shares(s, networks))
                : changes.Apply(containers[s.SpaceName])),
        ];
    }

    private static ShareKey KeyOf(string containerId) => new(ShareSource.Sandbox, "", containerId);

    private static HashSet<string> Differing(ImmutableSortedDictionary<string, LocalSandbox> before, ImmutableSortedDictionary<string, LocalSandbox> now) =>
        before.Keys.Union(now.Keys, StringComparer.Ordinal)
            .Where(id => !ReferenceEquals(before.GetValueOrDefault(id), now.GetValueOrDefault(id))).ToHashSet(StringComparer.Ordinal);
}
