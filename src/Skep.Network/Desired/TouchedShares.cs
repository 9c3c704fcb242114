using System.Collections.Immutable;
using System.Net;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>
/// Which objects of a network may add something else than before. What is named here is computed anew and compared, so one too many costs its
/// computation and one too few would be wrong.
/// </summary>
internal sealed class TouchedShares
{
    private readonly string _networkId;

    private TouchedShares(string networkId) => _networkId = networkId;

    /// <summary>Keys of services, endpoints and peers of the network.</summary>
    public HashSet<ShareKey> Keys { get; } = [];

    /// <summary>The services among them.</summary>
    public IEnumerable<ShareKey> Services => Keys.Where(k => k.Source == ShareSource.Service);

    /// <summary>The peers among them.</summary>
    public IEnumerable<ShareKey> Peers => Keys.Where(k => k.Source == ShareSource.Peer);

    public static TouchedShares Between(NodeView nodeBefore, NodeView node, NetworkView before, NetworkView after, IReadOnlyCollection<PlanRecordKey> keys)
    {
        var touched = new TouchedShares(after.Network.Id);
        touched.AddRecords(before, after, keys);
        touched.AddEndpointsOf(after, keys.Where(k => k.Part == PlanPart.Peer).Select(k => k.Id).ToHashSet(StringComparer.Ordinal));
        if (!ReferenceEquals(nodeBefore.Health, node.Health))
        {
            touched.AddServed(after, nodeBefore.Health.Refusing.SymmetricExcept(node.Health.Refusing).Where(r => r.NetworkId == after.Network.Id).Select(r => r.ServiceId));
            touched.AddServed(after, nodeBefore.Health.Answering.SymmetricExcept(node.Health.Answering).Where(r => r.NetworkId == after.Network.Id).Select(r => r.ServiceId));
        }

        if (!ReferenceEquals(nodeBefore.Ended, node.Ended))
        {
            touched.AddServed(after, nodeBefore.Ended.SymmetricExcept(node.Ended).Select(t => after.Plan.Endpoints.GetValueOrDefault(t)?.ServiceId).OfType<string>());
        }

        if (!ReferenceEquals(nodeBefore.Ejected, node.Ejected))
        {
            touched.AddServed(after, ServicesAt(after, nodeBefore.Ejected.SymmetricExcept(node.Ejected)));
        }

        return touched;
    }

    // An endpoint's change is one of the services that it serves, before and after.
    private void AddRecords(NetworkView before, NetworkView after, IReadOnlyCollection<PlanRecordKey> keys)
    {
        foreach (var key in keys)
        {
            switch (key.Part)
            {
                case PlanPart.Service:
                    Add(ShareSource.Service, key.Id);
                    break;
                case PlanPart.Peer:
                    Add(ShareSource.Peer, key.Id);
                    break;
                case PlanPart.Endpoint:
                    Add(ShareSource.Endpoint, key.Id);
                    AddServed(before, before.Plan.Endpoints.TryGetValue(key.Id, out var was) ? [was.ServiceId] : []);
                    AddServed(after, after.Plan.Endpoints.TryGetValue(key.Id, out var now) ? [now.ServiceId] : []);
                    break;
            }
        }
    }

    // Where an endpoint is to be found is told by its node.
    private void AddEndpointsOf(NetworkView network, HashSet<string> peers)
    {
        if (peers.Count > 0)
        {
            foreach (var endpoint in network.Plan.Endpoints.Values.Where(e => peers.Contains(e.NodeId)))
            {
                Add(ShareSource.Endpoint, endpoint.TaskId);
            }
        }
    }

    private void AddServed(NetworkView network, IEnumerable<string> services)
    {
        foreach (var service in services.SelectMany(network.Endpoints.ServedBy))
        {
            Add(ShareSource.Service, service);
        }
    }

    private static IEnumerable<string> ServicesAt(NetworkView network, ImmutableHashSet<IPAddress> addresses) =>
        addresses.Count == 0
            ? []
            : network.Plan.Endpoints.Values.Where(e => e.Addresses.Any(a => addresses.Contains(Addressing.AddressOf(a)))).Select(e => e.ServiceId).Distinct(StringComparer.Ordinal);

    private void Add(ShareSource source, string id) => Keys.Add(new ShareKey(source, _networkId, id));
}
