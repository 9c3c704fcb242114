using System.Collections.Immutable;
using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.Network.Sockets;

/// <summary>
/// What sockets of this node's tasks are to find behind which VIP, kept from one view of the node to the next: only services that changed,
/// or an endpoint of theirs, are computed anew. No effects.
/// </summary>
internal sealed class SocketWishes
{
    private readonly Dictionary<VipKey, BalancedAddress> _addresses = [];
    private readonly Dictionary<(string Network, string Service), ImmutableArray<VipKey>> _keys = [];
    private readonly HashSet<VipKey> _changed = [];
    private NodeView? _view;
    private Dictionary<string, NetworkPlan> _networks = new(StringComparer.Ordinal);

    /// <summary>Every VIP, and ports that are balanced otherwise than their VIP.</summary>
    public IReadOnlyDictionary<VipKey, BalancedAddress> Addresses => _addresses;

    /// <summary>The numbers (VNI) of the networks that a task's namespace is on, by the namespace's name.</summary>
    public IReadOnlyDictionary<string, ImmutableArray<uint>> Spaces { get; private set; } = new Dictionary<string, ImmutableArray<uint>>(StringComparer.Ordinal);

    /// <summary>Keys that came, changed or went since <see cref="Settle"/>.</summary>
    public IReadOnlySet<VipKey> Changed => _changed;

    public void Settle() => _changed.Clear();

    public void Update(NodeView view)
    {
        if (_view is { } before && ReferenceEquals(before.Plan, view.Plan) && ReferenceEquals(before.Sandboxes, view.Sandboxes)
            && ReferenceEquals(before.Ejected, view.Ejected) && before.Health == view.Health)
        {
            return;
        }

        if (_view is null || !ReferenceEquals(_view.Sandboxes, view.Sandboxes))
        {
            Spaces = view.Sandboxes.Values.ToDictionary(s => s.SpaceName, WantedSockets.NetworksOf, StringComparer.Ordinal);
        }

        // Proofs of one backend touch few services, but which they are is not told.
        var everything = _view is null || !ReferenceEquals(_view.Ejected, view.Ejected) || _view.Health != view.Health || _view.Plan.NodeId != view.Plan.NodeId;
        var carried = DesiredState.Carried(view).Where(n => !n.Ingress).Select(n => new NetworkView(view, n)).ToDictionary(n => n.Network.Id, StringComparer.Ordinal);
        foreach (var (network, service) in _keys.Keys.Where(k => !carried.TryGetValue(k.Network, out var n) || !n.Plan.Services.ContainsKey(k.Service)).ToList())
        {
            Put(network, service, []);
        }

        foreach (var network in carried.Values)
        {
            Update(network, everything ? null : _networks.GetValueOrDefault(network.Network.Id));
        }

        _networks = carried.Values.ToDictionary(n => n.Network.Id, n => n.Plan, StringComparer.Ordinal);
        _view = view;
    }

    private void Update(NetworkView network, NetworkPlan? before)
    {
        var plan = network.Plan;
        if (before is null || before.Network != plan.Network)
        {
            foreach (var service in plan.Services.Values)
            {
                Put(network, service);
            }

            return;
        }

        if (ReferenceEquals(before, plan) || (ReferenceEquals(before.Services, plan.Services) && ReferenceEquals(before.Endpoints, plan.Endpoints)))
        {
            return;
        }

        var touched = Touched(before.Endpoints, plan.Endpoints);
        foreach (var (id, service) in plan.Services)
        {
            if (!ReferenceEquals(before.Services.GetValueOrDefault(id), service) || (touched.Count > 0 && service.ServedBy().Any(touched.Contains)))
            {
                Put(network, service);
            }
        }
    }

    // The services whose endpoints differ.
    private static HashSet<string> Touched(ImmutableDictionary<string, PlanEndpoint> before, ImmutableDictionary<string, PlanEndpoint> now)
    {
        var services = new HashSet<string>(StringComparer.Ordinal);
        if (ReferenceEquals(before, now))
        {
            return services;
        }

        var common = 0;
        foreach (var (id, endpoint) in now)
        {
            if (!before.TryGetValue(id, out var old))
            {
                services.Add(endpoint.ServiceId);
                continue;
            }

            common++;
            if (!ReferenceEquals(old, endpoint))
            {
                services.Add(endpoint.ServiceId);
                services.Add(old.ServiceId);
            }
        }

        if (common < before.Count)
        {
            services.UnionWith(before.Where(b => !now.ContainsKey(b.Key)).Select(b => b.Value.ServiceId));
        }

        return services;
    }

    private void Put(NetworkView network, PlanService service) =>
        Put(network.Network.Id, service.ServiceId, [.. WantedSockets.Of(network, service)]);

    private void Put(string network, string service, ImmutableArray<BalancedAddress> wanted)
    {
        foreach (var key in _keys.GetValueOrDefault((network, service), []).Where(k => !wanted.Any(w => w.Key == k)))
        {
            _addresses.Remove(key);
            _changed.Add(key);
        }

        foreach (var address in wanted.Where(w => !w.Equals(_addresses.GetValueOrDefault(w.Key))))
        {
            _addresses[address.Key] = address;
            _changed.Add(address.Key);
        }

        if (wanted.IsEmpty)
        {
            _keys.Remove((network, service));
        }
        else
        {
            _keys[(network, service)] = [.. wanted.Select(w => w.Key)];
        }
    }
}
