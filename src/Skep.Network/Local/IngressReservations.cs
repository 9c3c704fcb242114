using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using Skep.Network.Desired;

namespace Skep.Network.Local;

/// <summary>
/// Published ports of the mesh, each held by a bound socket in the host's namespace: a program of the host that wants the port
/// is told that it is taken (EADDRINUSE) instead of never hearing a packet. The sockets do not listen; who is not let in by the rules is refused
/// as though nobody were there. A port that a program has first stays that program's. A change costs what it changes. Not thread-safe.
/// </summary>
internal sealed class IngressReservations(NetworkNamespace host) : IDisposable
{
    // A null socket: a program has the port.
    private readonly Dictionary<ReservedPort, Socket?> _ports = [];
    private readonly Dictionary<string, HashSet<ReservedPort>> _byService = new(StringComparer.Ordinal);

    // Services that only some addresses listen for.
    private readonly Dictionary<string, IReadOnlyList<PublishedRange>> _narrow = new(StringComparer.Ordinal);

    /// <summary>Those that programs of the host have.</summary>
    public ImmutableSortedSet<HeldPort> Held { get; private set; } = [];

    /// <summary>
    /// Holds what these services publish on this node and lets go of what they published before; other services' ports stay. One
    /// without ranges publishes nothing (any more).
    /// </summary>
    public void Change(IReadOnlyCollection<(string ServiceId, IReadOnlyList<PublishedRange> Ranges)> services)
    {
        List<IPAddress>? local = null;
        var wanted = services.ToDictionary(s => s.ServiceId, s => Ports(s.Ranges, () => local ??= OwnAddresses.Of(host)).ToHashSet(), StringComparer.Ordinal);
        // A port may go from one service to another in one change.
        var kept = wanted.Values.SelectMany(p => p).ToHashSet();
        foreach (var port in wanted.Keys.SelectMany(id => _byService.GetValueOrDefault(id, [])).Where(p => !kept.Contains(p)))
        {
            if (_ports.Remove(port, out var socket))
            {
                socket?.Dispose();
            }
        }

        foreach (var (id, ports) in wanted)
        {
            _byService.Remove(id);
            if (ports.Count > 0)
            {
                _byService[id] = ports;
            }
        }

        foreach (var (id, ranges) in services)
        {
            _narrow.Remove(id);
            if (ranges.Any(r => r.Access?.Addresses is not null))
            {
                _narrow[id] = ranges;
            }
        }

        Take(kept.Where(p => !_ports.ContainsKey(p)));
    }

    /// <summary>Tries those again that programs had, and follows the host's addresses.</summary>
    public void Retry()
    {
        if (_narrow.Count > 0)
        {
            Change([.. _narrow.Select(s => (s.Key, s.Value))]);
        }

        if (!Held.IsEmpty)
        {
            Take(_ports.Where(p => p.Value is null).Select(p => p.Key));
        }
    }

    public void Dispose()
    {
        foreach (var socket in _ports.Values)
        {
            socket?.Dispose();
        }

        _ports.Clear();
    }

    private void Take(IEnumerable<ReservedPort> ports)
    {
        var missing = ports.ToList();
        if (missing.Count > 0)
        {
            host.Run(() => missing.ForEach(p => _ports[p] = BoundSockets.Hold(p.Protocol, p.Address, p.Port)));
            Repeat(missing.FindAll(p => _ports[p] is null));
        }

        ImmutableSortedSet<HeldPort> held = [.. _ports.Where(p => p.Value is null).Select(p => new HeldPort(p.Key.Protocol, p.Key.Port))];
        Held = held.SetEquals(Held) ? Held : held;
    }

    // What was let go of a moment ago may still be in a child that is being started.
    private void Repeat(List<ReservedPort> refused)
    {
        if (refused.Count > 0)
        {
            ForkedCopies.WaitOut();
            host.Run(() => refused.ForEach(p => _ports[p] = BoundSockets.Hold(p.Protocol, p.Address, p.Port)));
        }
    }

    // Where only some addresses listen, programs may have the port on the others.
    private static IEnumerable<ReservedPort> Ports(IEnumerable<PublishedRange> ranges, Func<List<IPAddress>> local)
    {
        foreach (var range in ranges.Where(r => r.Protocol is "tcp" or "udp"))
        {
            IReadOnlyList<IPAddress?> addresses = range.Access?.Addresses is { } prefixes ? [.. OwnAddresses.Within(prefixes, local())] : [null];
            foreach (var address in addresses)
            {
                for (var port = range.First; port <= range.Last; port++)
                {
                    yield return new ReservedPort(range.Protocol, port, address);
                }
            }
        }
    }

    /// <summary>A null address is all of them.</summary>
    private sealed record ReservedPort(string Protocol, uint Port, IPAddress? Address);
}
