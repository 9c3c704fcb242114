using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using Skep.Model.Errors;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network.Desired;

namespace Skep.Network.Local;

/// <summary>
/// Host ports that belong to containers. Each is held by a bound socket, so that no program of the host gets it by chance; the socket
/// sees no packet that is let in, for the rules translate those first. Where only some addresses listen, programs may have the port on the others.
/// </summary>
internal sealed class HostPortReservations(NetworkNamespace host) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Holding> _held = new(StringComparer.Ordinal);

    /// <summary>Takes the ports for a container and returns them with numbers. All or none; a taken one is refused with who has it.</summary>
    /// <param name="containerId">Whose they are.</param>
    /// <param name="ports">0 or null as published port asks for any that is free.</param>
    /// <param name="access">Restrictions of its service's ports; null = none.</param>
    public IReadOnlyList<PortConfig> Take(string containerId, IReadOnlyList<PortConfig> ports, IReadOnlyList<PlanPortAccess>? access)
    {
        lock (_gate)
        {
            var taken = new List<PortConfig>();
            try
            {
                foreach (var port in ports)
                {
                    taken.Add(Take(containerId, port, access));
                }

                return taken;
            }
            catch
            {
                Drop(containerId);
                throw;
            }
        }
    }

    /// <summary>Follows changed restrictions: lets go of addresses that do not listen any more and takes those that do from now on.</summary>
    /// <returns>A sentence for each that a program has.</returns>
    public IReadOnlyList<string> Move(string containerId, IReadOnlyList<PlanPortAccess>? access)
    {
        lock (_gate)
        {
            var refused = new List<string>();
            foreach (var held in _held.Values.Where(h => h.ContainerId == containerId && !h.AnyNumber))
            {
                var wanted = Addresses(held.Port, access).ToList();
                // All addresses at once and one of them by itself are in each other's way.
                foreach (var (address, socket) in held.Sockets.Where(s => !wanted.Contains(s.Address)).ToList())
                {
                    socket.Dispose();
                    held.Sockets.Remove((address, socket));
                }

                foreach (var address in wanted.Where(w => !held.Sockets.Exists(s => Equals(s.Address, w))))
                {
                    if (Hold(held.Port, address) is { } socket)
                    {
                        held.Sockets.Add((address, socket));
                    }
                    else
                    {
                        refused.Add(Sentence(held.Port, address));
                    }
                }
            }

            return refused;
        }
    }

    public void Release(string containerId)
    {
        lock (_gate)
        {
            Drop(containerId);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var id in _held.Values.Select(h => h.ContainerId).Distinct().ToList())
            {
                Drop(id);
            }
        }
    }

    private PortConfig Take(string containerId, PortConfig port, IReadOnlyList<PlanPortAccess>? access)
    {
        if (Ports.Protocol(port) is not ("tcp" or "udp") and var other)
        {
            throw new ClusterException(ErrorKind.NotImplemented, $"{other} ports cannot be published on a host yet");
        }

        if (_held.TryGetValue(Ports.Key(port), out var held))
        {
            return held.ContainerId == containerId
                ? port
                : throw new ClusterException(ErrorKind.Conflict, $"{Failed(port, null)}: container {Model.Identity.ContainerId.Short(held.ContainerId)} has it");
        }

        var any = port.PublishedPort is null or 0;
        var sockets = new List<(IPAddress? Address, Socket Socket)>();
        foreach (var address in any ? [null] : Addresses(port, access))
        {
            sockets.Add((address, Hold(port, address) ?? throw Refusal(port, address, sockets)));
        }

        var numbered = any ? port with { PublishedPort = (uint)((IPEndPoint)sockets[0].Socket.LocalEndPoint!).Port } : port;
        _held[Ports.Key(numbered)] = new Holding(containerId, numbered, any, sockets);
        return numbered;
    }

    private Socket? Hold(PortConfig port, IPAddress? address)
    {
        if (Try(port, address) is { } socket)
        {
            return socket;
        }

        // What was let go of a moment ago may still be in a child that is being started.
        ForkedCopies.WaitOut();
        return Try(port, address);
    }

    private Socket? Try(PortConfig port, IPAddress? address)
    {
        try
        {
            return host.Run(() => BoundSockets.Hold(Ports.Protocol(port), address, port.PublishedPort ?? 0));
        }
        catch (SocketException failure)
        {
            throw new ClusterException(ErrorKind.Conflict, $"{Failed(port, address)}: {failure.Message}");
        }
    }

    /// <summary>Null is all of them.</summary>
    private IReadOnlyList<IPAddress?> Addresses(PortConfig port, IReadOnlyList<PlanPortAccess>? access) =>
        PlanPortAccess.Narrowest(access, port.PublishedPort ?? 0)?.Addresses is { } prefixes ? [.. OwnAddresses.Within(prefixes, OwnAddresses.Of(host))] : [null];

    private ClusterException Refusal(PortConfig port, IPAddress? address, List<(IPAddress? Address, Socket Socket)> sockets)
    {
        sockets.ForEach(s => s.Socket.Dispose());
        return new ClusterException(ErrorKind.Conflict, Sentence(port, address));
    }

    private string Sentence(PortConfig port, IPAddress? address) =>
        $"{Failed(port, address)}: address already in use{(PortHolder.Of(host, Ports.Protocol(port), port.PublishedPort ?? 0, address) is { } program ? $" by {program}" : "")}";

    // Docker's own words.
    private static string Failed(PortConfig port, IPAddress? address) => string.Create(
        CultureInfo.InvariantCulture,
        $"failed to bind host port for {new IPEndPoint(address ?? IPAddress.Any, (int)(port.PublishedPort ?? 0))}/{Ports.Protocol(port)}");

    private void Drop(string containerId)
    {
        foreach (var (key, held) in _held.Where(h => h.Value.ContainerId == containerId).ToList())
        {
            _held.Remove(key);
            held.Sockets.ForEach(s => s.Socket.Dispose());
        }
    }

    /// <param name="AnyNumber">The number was chosen here; it is held on all addresses.</param>
    private sealed record Holding(string ContainerId, PortConfig Port, bool AnyNumber, List<(IPAddress? Address, Socket Socket)> Sockets);
}
