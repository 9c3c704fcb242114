using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Network.Desired;

namespace Skep.Network.Ejection;

/// <summary>
/// Tries a TCP port from a place of this node on the backend's network, as its clients do: on the ingress network from ingress_sbox, else
/// from a sandbox. So no client's flow has to find out whether a backend is back.
/// </summary>
internal static class Trial
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(800);

    /// <summary>True: it answers. False: it refuses. Null: nobody here could try, or there was no answer at all.</summary>
    public static async Task<bool?> RunAsync(NodeNetworkOptions options, (string Space, IPAddress Source) from, BackendPort port, CancellationToken cancellationToken)
    {
        using var socket = Open(options, from);
        if (socket is null)
        {
            return null;
        }

        using var patience = new CancellationTokenSource(s_patience, options.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(port.Address, port.Port), either.Token);
            return true;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return false;
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>Where a backend can be tried from, and with which address; null when nothing of this node is on its network.</summary>
    public static (string Space, IPAddress Source)? From(NodeView node, string networkId, IPAddress backend)
    {
        if (!node.Plan.Networks.TryGetValue(networkId, out var plan))
        {
            return null;
        }

        var network = new NetworkView(node, plan.Network);
        if (network.Network.Ingress)
        {
            return network.OwnIngressAddress is { } own ? (WantedSpace.IngressSandbox, Addressing.AddressOf(own)) : null;
        }

        var sources =
            from sandbox in network.Locals
            from prefix in network.AddressesOf(sandbox)
            let address = Addressing.AddressOf(prefix)
            where address.AddressFamily == backend.AddressFamily
            orderby address.Equals(backend)
            select ((string, IPAddress)?)(sandbox.SpaceName, address);
        return sources.FirstOrDefault();
    }

    private static Socket? Open(NodeNetworkOptions options, (string Space, IPAddress Source) from)
    {
        try
        {
            using var ns = NetworkNamespace.Open(Path.Combine(options.NamespaceFolder, from.Space));
            var socket = ns.Run(() => new Socket(from.Source.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
            try
            {
                // Closed by a reset: the backend's program has nothing to wait for and keeps nothing.
                socket.LingerState = new LingerOption(true, 0);
                socket.Bind(new IPEndPoint(from.Source, 0));
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
                return null;
            }
        }
        catch (IOException)
        {
            return null;
        }
    }
}
