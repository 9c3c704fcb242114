using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Sockets;
using Skep.Network.Desired;

namespace Skep.Network.Relays;

/// <summary>
/// Stands between clients and tasks where a PROXY header is asked for. Packet rules of ingress_sbox send it the clients' connections; it
/// connects to what they had asked ingress_sbox for, with an address that stands for the client, and the same rules balance that as they
/// balance packets of the mesh. It knows neither services nor backends. Its sockets are in the namespace that the process runs in.
/// </summary>
public sealed class Relay(RelayOptions options, HostFlows flows, ILogger<Relay> logger)
{
    private const int Backlog = 4096;

    // A flow more than there are descriptors waits in the backlog until another one has ended.
    private static readonly TimeSpan s_crowded = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs until cancelled. The flows end with the process.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var four = Listen(AddressFamily.InterNetwork, IPAddress.Any);
        using var six = Socket.OSSupportsIPv6 ? Listen(AddressFamily.InterNetworkV6, IPAddress.IPv6Any) : null;
        logger.Listening(options.Port);
        await Task.WhenAll(AcceptAsync(four, stopping), six is null ? Task.CompletedTask : AcceptAsync(six, stopping));
    }

    private Socket Listen(AddressFamily family, IPAddress any)
    {
        var socket = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        if (family == AddressFamily.InterNetworkV6)
        {
            socket.DualMode = false;
        }

        socket.Bind(new IPEndPoint(any, options.Port));
        socket.Listen(Backlog);
        return socket;
    }

    private async Task AcceptAsync(Socket listener, CancellationToken stopping)
    {
        var crowded = false;
        while (true)
        {
            try
            {
                _ = ServeAsync(await listener.AcceptAsync(stopping));
                crowded = false;
            }
            catch (SocketException full) when (full.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                if (!crowded)
                {
                    logger.Crowded(full.Message);
                }

                crowded = true;
                await Task.Delay(s_crowded, options.Clock, stopping);
            }
            catch (SocketException)
            {
                // The client was gone before it was accepted.
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        Socket? backend = null;
        try
        {
            Tune(client);
            var (peer, published) = ((IPEndPoint)client.RemoteEndPoint!, TransparentSockets.OriginalDestination(client));

            // A connection that the rules did not send here asks for nothing.
            if (published.Equals(client.LocalEndPoint))
            {
                RelayedFlow.Reset(client);
                return;
            }

            backend = new Socket(client.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            Tune(backend);
            SpeakFor(backend, peer.Address);
            await backend.ConnectAsync(published);
            await backend.SendAsync(Header(peer, published), SocketFlags.None);
        }
        catch (Exception failure)
        {
            // Whoever refuses the relay refuses the client; nobody is left waiting for a fault of ours either.
            if (failure is not (SocketException or ObjectDisposedException))
            {
                logger.Unserved(failure);
            }

            RelayedFlow.Reset(client);
            if (backend is not null)
            {
                RelayedFlow.Reset(backend);
            }

            return;
        }

        await new RelayedFlow(client, backend).RunAsync();
    }

    private byte[] Header(IPEndPoint peer, IPEndPoint published)
    {
        var (seen, dialled) = flows.Find(peer, published) is { } ends ? ends : (peer, published);
        var header = new byte[ProxyHeader.Longest];
        return header[..ProxyHeader.Write(header, seen, dialled)];
    }

    // Without it the connection is the node's own: it works, with the affinity of the node.
    private void SpeakFor(Socket backend, IPAddress client)
    {
        try
        {
            TransparentSockets.SpeakAs(backend, StandIns.For(client));
        }
        catch (SocketException unwilling)
        {
            logger.NoStandIn(client, unwilling.Message);
        }
    }

    // What comes in pieces goes on in pieces, and a peer that vanished without a word is found out after hours, as by any server.
    private static void Tune(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
    }
}
