using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Model.Errors;
using Skep.Model.Specs;
using Skep.Network.Desired;

namespace Skep.Network.Local;

/// <summary>
/// Host ports that belong to containers. Each is held by a bound socket, so that no program of the host gets it by chance;
/// the socket sees no packet, for the rules translate them first.
/// </summary>
internal sealed class HostPortReservations(NetworkNamespace host) : IDisposable
{
    private readonly ConcurrentDictionary<string, (string ContainerId, Socket Socket)> _held = new(StringComparer.Ordinal);

    /// <summary>Takes the ports for a container and returns them with numbers. All or none; a taken one is refused by name.</summary>
    public IReadOnlyList<PortConfig> Take(string containerId, IReadOnlyList<PortConfig> ports)
    {
        var taken = new List<PortConfig>();
        try
        {
            foreach (var port in ports)
            {
                taken.Add(Take(containerId, port));
            }

            return taken;
        }
        catch
        {
            Release(containerId);
            throw;
        }
    }

    public void Release(string containerId)
    {
        foreach (var (key, held) in _held.Where(h => h.Value.ContainerId == containerId))
        {
            _held.TryRemove(key, out _);
            held.Socket.Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var held in _held.Values)
        {
            held.Socket.Dispose();
        }
    }

    private PortConfig Take(string containerId, PortConfig port)
    {
        if (_held.TryGetValue(Ports.Key(port), out var held))
        {
            return held.ContainerId == containerId ? port : throw Taken(port, $"container {Model.Identity.ContainerId.Short(held.ContainerId)} has it");
        }

        var socket = Bind(port);
        var numbered = port with { PublishedPort = (uint)((IPEndPoint)socket.LocalEndPoint!).Port };
        _held[Ports.Key(numbered)] = (containerId, socket);
        return numbered;
    }

    private Socket Bind(PortConfig port)
    {
        var socket = host.Run(() => Ports.Protocol(port) switch
        {
            "tcp" => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp),
            "udp" => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp),
            var other => throw new ClusterException(ErrorKind.NotImplemented, $"{other} ports cannot be published on a host yet"),
        });
        try
        {
            socket.ExclusiveAddressUse = true;
            socket.Bind(new IPEndPoint(IPAddress.Any, (int)(port.PublishedPort ?? 0)));
            return socket;
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw Taken(port, failure.SocketErrorCode == SocketError.AddressAlreadyInUse ? "address already in use" : failure.Message);
        }
    }

    private static ClusterException Taken(PortConfig port, string why) => new(
        ErrorKind.Conflict,
        string.Create(CultureInfo.InvariantCulture, $"failed to bind host port for 0.0.0.0:{port.PublishedPort ?? 0}/{Ports.Protocol(port)}: {why}"));
}
