using System.Net.Sockets;
using Skep.Model.Objects;
using Skep.Model.States;

namespace Skep.Manager.Allocation;

/// <summary>Who has which address on which network: tasks until they are over, virtual addresses of services, nodes on the ingress network and where they have a load balancer.</summary>
public sealed class AddressBook
{
    private readonly Dictionary<string, AddressPool> _pools = [];
    private readonly Dictionary<string, HashSet<Held>> _held = [];

    // What each doubt is about, the oldest first.
    private readonly Dictionary<string, Queue<IReadOnlyList<Held>>> _doubted = [];
    private string? _ingressId;

    /// <summary>How many networks, owners and doubtful owners there are entries of; what is over must leave none.</summary>
    public (int Networks, int Owners, int Doubted) Size => (_pools.Count, _held.Count, _doubted.Count);

    public AddressPool Pool(string networkId)
    {
        if (!_pools.TryGetValue(networkId, out var pool))
        {
            _pools[networkId] = pool = new AddressPool();
        }

        return pool;
    }

    public void SetNetwork(SwarmNetwork network)
    {
        Pool(network.Id).Configure(network.Subnets);
        if (network.Spec.Ingress)
        {
            _ingressId = network.Id;
        }
    }

    public void DropNetwork(string networkId)
    {
        _pools.Remove(networkId);
        _ingressId = _ingressId == networkId ? null : _ingressId;
    }

    /// <summary>A task that is over keeps its addresses as history only: they are free.</summary>
    public void Set(SwarmTask task) => Replace(task.Id, task.Status.State > TaskState.Running
        ? []
        : task.Attachments.SelectMany(a => a.Addresses.Select(text => (a.NetworkId, text))));

    public void Set(SwarmService service) =>
        Replace(service.Id, service.Endpoint?.VirtualIPs.Select(v => (v.NetworkID, v.Addr)) ?? []);

    public void Set(SwarmNode node) => Replace(node.Id, (_ingressId is { } ingress
        ? new[] { node.IngressAddress, node.IngressAddress6 }.OfType<string>().Select(address => (ingress, address))
        : []).Concat(node.BalancerAddresses?.Select(b => (b.Key, b.Value)) ?? []));

    public void Release(string owner) => Replace(owner, []);

    /// <summary>Takes the next free address for <paramref name="owner"/>; it is kept by a later <c>Set</c> of the owner, or let go by <see cref="Release"/>.</summary>
    public string? Take(string networkId, string owner, AddressFamily family)
    {
        var prefix = Pool(networkId).Take(owner, family);
        if (prefix is not null && AddressRange.Read(prefix) is { } address)
        {
            HeldBy(owner).Add(new Held(networkId, address.Family, address.Number));
        }

        return prefix;
    }

    /// <summary>
    /// Nobody knows whether the transaction that gave <paramref name="owner"/> its addresses was stored. They stay out of use for
    /// others until <see cref="Settle"/>, which every doubt needs once; if the owner turns up in the store after all, they are its own.
    /// </summary>
    public void Doubt(string owner)
    {
        var held = _held.GetValueOrDefault(owner, []);
        foreach (var one in held)
        {
            Pool(one.NetworkId).Doubt(owner, (one.Family, one.Number));
        }

        if (!_doubted.TryGetValue(owner, out var doubts))
        {
            _doubted[owner] = doubts = [];
        }

        doubts.Enqueue([.. held]);
    }

    /// <summary>Lets go what is still doubtful for the owner by its oldest doubt.</summary>
    public void Settle(string owner)
    {
        if (!_doubted.TryGetValue(owner, out var doubts))
        {
            return;
        }

        foreach (var one in doubts.Dequeue())
        {
            if (_pools.TryGetValue(one.NetworkId, out var pool))
            {
                pool.Settle(owner, (one.Family, one.Number));
                Forget(one.NetworkId, pool);
            }
        }

        if (doubts.Count == 0)
        {
            _doubted.Remove(owner);
        }
    }

    /// <summary>Tasks that end after their network still say what they had on it; with the last of them the network's book is gone too.</summary>
    private void Forget(string networkId, AddressPool pool)
    {
        if (pool.IsForgotten)
        {
            _pools.Remove(networkId);
        }
    }

    private HashSet<Held> HeldBy(string owner)
    {
        if (!_held.TryGetValue(owner, out var held))
        {
            _held[owner] = held = [];
        }

        return held;
    }

    private void Replace(string owner, IEnumerable<(string NetworkId, string Text)> addresses)
    {
        var next = new HashSet<Held>();
        foreach (var (networkId, text) in addresses)
        {
            if (AddressRange.Read(text) is { } address)
            {
                next.Add(new Held(networkId, address.Family, address.Number));
            }
        }

        foreach (var old in _held.GetValueOrDefault(owner, []))
        {
            if (!next.Contains(old) && _pools.TryGetValue(old.NetworkId, out var pool))
            {
                pool.Release(owner, (old.Family, old.Number));
                Forget(old.NetworkId, pool);
            }
        }

        foreach (var held in next)
        {
            Pool(held.NetworkId).Hold(owner, (held.Family, held.Number));
        }

        if (next.Count == 0)
        {
            _held.Remove(owner);
        }
        else
        {
            _held[owner] = next;
        }
    }

    private readonly record struct Held(string NetworkId, AddressFamily Family, UInt128 Number);
}
