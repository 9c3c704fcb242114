using System.Collections.Immutable;
using Skep.Network.Desired;

namespace Skep.Network.Sockets;

/// <summary>
/// What sockets of this node's tasks are to find behind which VIP, kept from one picture of the node to the next: only services that the
/// change touched are computed anew. No effects.
/// </summary>
internal sealed class SocketWishes
{
    private readonly Dictionary<VipKey, BalancedAddress> _addresses = [];
    private readonly Dictionary<(string Network, string Service), ImmutableArray<VipKey>> _keys = [];
    private readonly HashSet<VipKey> _changed = [];
    private NodeView? _view;

    /// <summary>Every VIP, and ports that are balanced otherwise than their VIP.</summary>
    public IReadOnlyDictionary<VipKey, BalancedAddress> Addresses => _addresses;

    /// <summary>The numbers (VNI) of the networks that a task's namespace is on, by the namespace's name.</summary>
    public IReadOnlyDictionary<string, ImmutableArray<uint>> Spaces { get; private set; } = new Dictionary<string, ImmutableArray<uint>>(StringComparer.Ordinal);

    /// <summary>Keys that came, changed or went since <see cref="Settle"/>.</summary>
    public IReadOnlySet<VipKey> Changed => _changed;

    public void Settle() => _changed.Clear();

    public void Update(DesiredPicture picture)
    {
        var view = picture.Node;
        if (ReferenceEquals(view, _view))
        {
            return;
        }

        if (_view is null || !ReferenceEquals(_view.Sandboxes, view.Sandboxes))
        {
            Spaces = view.Sandboxes.Values.ToDictionary(s => s.SpaceName, WantedSockets.NetworksOf, StringComparer.Ordinal);
        }

        var networks = picture.Networks.Where(n => !n.Network.Ingress).ToDictionary(n => n.Network.Id, StringComparer.Ordinal);
        foreach (var (network, service) in Touched(picture, networks))
        {
            Put(network, service, networks.TryGetValue(network, out var there) && there.Plan.Services.TryGetValue(service, out var wanted)
                ? [.. WantedSockets.Of(there, wanted)]
                : []);
        }

        _view = view;
    }

    private IEnumerable<(string Network, string Service)> Touched(DesiredPicture picture, Dictionary<string, NetworkView> networks) =>
        picture.ServicesSince(_view)?.Select(k => (k.NetworkId, k.Id))
        ?? _keys.Keys.Union(networks.Values.SelectMany(n => n.Plan.Services.Keys.Select(service => (n.Network.Id, service)))).ToList();

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
