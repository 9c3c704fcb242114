using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Model.Errors;
using Skep.Model.Flow;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Network.Desired;
using Skep.Network.Local;

namespace Skep.Network;

/// <summary>
/// Published ports and the host's own programs: the node reports what its programs listen on, holds what the swarm publishes,
/// and leaves to a program what that had first.
/// </summary>
internal sealed class PublishedPorts(NetworkNamespace host, NodeNetworkOptions options, ILogger logger) : IDisposable
{
    private readonly IngressReservations _reservations = new(host);
    private readonly HostListeners _listeners = new(host);
    private ImmutableDictionary<string, PlanService> _services = ImmutableDictionary<string, PlanService>.Empty;

    /// <summary>What programs of the host listen on; null before the first look.</summary>
    public Watched<IReadOnlyList<HostListener>?> Listeners { get; } = new(null, (next, now) => now is null || !next!.SequenceEqual(now));

    /// <summary>
    /// Holds the plan's ports and returns those that programs have. With <paramref name="again"/> they are tried again, and the host's addresses
    /// are followed. A pass calls it, one at a time.
    /// </summary>
    public ImmutableSortedSet<HeldPort> Hold(NodePlan plan, bool again)
    {
        var services = plan.IngressServices ?? ImmutableDictionary<string, PlanService>.Empty;
        var before = _reservations.Held;
        if (!ReferenceEquals(services, _services))
        {
            var changed = services.Where(s => !ReferenceEquals(_services.GetValueOrDefault(s.Key), s.Value)).Select(s => (s.Key, RangesOn(plan.NodeId, s.Value)));
            var gone = _services.Keys.Where(id => !services.ContainsKey(id)).Select(id => (id, (IReadOnlyList<PublishedRange>)[]));
            _reservations.Change([.. changed, .. gone]);
            _services = services;
        }

        if (again)
        {
            _reservations.Retry();
        }

        if (!ReferenceEquals(before, _reservations.Held))
        {
            Tell(before, _reservations.Held);
        }

        return _reservations.Held;
    }

    /// <summary>
    /// Keeps <see cref="Listeners"/> right; asks for a pass when a program may have let go of a published port, or when the host has other addresses.
    /// </summary>
    /// <param name="changed">Asks for a pass.</param>
    /// <param name="moved">Is told of other addresses before the pass.</param>
    /// <param name="stopping">Ends it.</param>
    public async Task FollowAsync(Action changed, Action moved, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(options.ListenersPeriod, options.Clock);
        var failed = false;
        HashSet<IPAddress>? addresses = null;
        do
        {
            try
            {
                if (Listeners.TryPublish(_listeners.Read()) && !_reservations.Held.IsEmpty)
                {
                    changed();
                }

                // Ports may be held since a little before the first look.
                var now = OwnAddresses.Of(host).ToHashSet();
                if (addresses?.SetEquals(now) != true)
                {
                    addresses = now;
                    moved();
                    changed();
                }

                failed = false;
            }
            catch (Exception failure) when (failure is IOException or NetlinkException or UnauthorizedAccessException or ClusterException)
            {
                if (!failed)
                {
                    logger.ListenersUnread(failure.Message);
                }

                failed = true;
            }
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    public void Dispose()
    {
        _reservations.Dispose();
        _listeners.Dispose();
    }

    private static IReadOnlyList<PublishedRange> RangesOn(string nodeId, PlanService service) =>
        service.Ports.Count == 0 ? [] : [.. PublishedRange.On(nodeId, service, ImmutableSortedSet<HeldPort>.Empty)];

    private void Tell(ImmutableSortedSet<HeldPort> before, ImmutableSortedSet<HeldPort> held)
    {
        foreach (var port in held.Except(before))
        {
            var service = _services.Values.FirstOrDefault(s => PublishedRange.Of(s).Any(r => r.Protocol == port.Protocol && port.Port >= r.First && port.Port <= r.Last));
            logger.PublishedPortHeld(port, service?.Name ?? "", PortHolder.Of(host, port.Protocol, port.Port) ?? "a program");
        }

        foreach (var port in before.Except(held))
        {
            logger.PublishedPortFree(port);
        }
    }
}
