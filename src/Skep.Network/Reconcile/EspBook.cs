using System.Net;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>
/// The IPsec states that the kernel was given. A peer that leaves and comes back while its key is in use has the same states again, and may have kept its
/// side of them: so they stay as they are meanwhile. One that is made a second time numbers its packets from one, which a peer takes for replays.
/// </summary>
internal sealed class EspBook
{
    // The key's id; null for a state of an earlier daemon, whose key nobody knows.
    private readonly Dictionary<(IPAddress Destination, uint Spi), string?> _made = [];

    /// <summary>Whether one of these was made before.</summary>
    public bool Knows(IEnumerable<(IPAddress Destination, uint Spi)> states) => states.Any(_made.ContainsKey);

    /// <summary>The kernel has the wanted states.</summary>
    public void Made(WantedEsp wanted)
    {
        foreach (var state in wanted.Peers.SelectMany(p => p.States))
        {
            _made[(state.Destination, state.Spi)] = state.KeyId;
        }
    }

    /// <summary>Whether a state that is not wanted stays: its peer is away, and its key is in use.</summary>
    public bool Spares(WantedEsp wanted, IPAddress source, IPAddress destination, uint spi) =>
        _made.GetValueOrDefault((destination, spi)) is { } key && wanted.Keys.Contains(key)
        && wanted.Peers.All(p => !p.Address.Equals(source) && !p.Address.Equals(destination));

    /// <summary>These were removed from the kernel. Of a key that is no longer in use no state will ever be wanted again.</summary>
    public void Removed(WantedEsp wanted, IEnumerable<(IPAddress Destination, uint Spi)> states)
    {
        foreach (var state in states)
        {
            _made.TryAdd(state, null);
        }

        foreach (var (state, key) in _made.ToList())
        {
            if (key is not null && !wanted.Keys.Contains(key))
            {
                _made.Remove(state);
            }
        }
    }
}
