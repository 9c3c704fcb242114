using Skep.Model.Objects;

namespace Skep.Manager.Allocation;

/// <summary>VXLAN network identifiers in use. New ones rise from 4096 and wrap behind 2^24 − 1.</summary>
public sealed class VniBook
{
    public const uint First = 4096;
    public const uint Largest = (1 << 24) - 1;

    private readonly Dictionary<uint, string> _owners = [];
    private readonly Dictionary<string, uint> _held = [];
    private uint _next = First;

    public void Set(SwarmNetwork network)
    {
        if (_held.GetValueOrDefault(network.Id) == network.Vni)
        {
            return;
        }

        Drop(network.Id);
        if (network.Vni != 0 && _owners.TryAdd(network.Vni, network.Id))
        {
            _held[network.Id] = network.Vni;
        }
    }

    public void Drop(string networkId)
    {
        if (_held.Remove(networkId, out var vni))
        {
            _owners.Remove(vni);
        }
    }

    public int Count => _held.Count;

    public bool IsFree(uint vni) => !_owners.ContainsKey(vni);

    public uint Next()
    {
        while (!IsFree(_next))
        {
            Step();
        }

        var vni = _next;
        Step();
        return vni;
    }

    private void Step() => _next = _next == Largest ? First : _next + 1;
}
