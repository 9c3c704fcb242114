using System.Net;
using Skep.Kernel.Namespaces;
using Skep.Network.Desired;

namespace Skep.Network.Probes;

/// <summary>The sockets that peers are asked by: in ingress_sbox through the tunnels, in the host's namespace on the underlay itself.</summary>
internal sealed class ProbeSockets : IDisposable
{
    private ProbeSockets(IPAddress own, ulong inode, EchoSocket tunnel, DatagramEcho datagrams, EchoSocket underlay) =>
        (Own, Inode, Tunnel, Datagrams, Underlay) = (own, inode, tunnel, datagrams, underlay);

    /// <summary>The address of this node's ingress_sbox.</summary>
    public IPAddress Own { get; }

    /// <summary>Which ingress_sbox it is.</summary>
    public ulong Inode { get; }

    public EchoSocket Tunnel { get; }
    public DatagramEcho Datagrams { get; }
    public EchoSocket Underlay { get; }

    /// <summary><see cref="IOException"/> or a socket's exception while ingress_sbox is not ready.</summary>
    public static ProbeSockets Open(NodeNetworkOptions options, IPAddress own, Action<IPAddress> heard, Func<IPAddress, bool> isPeer)
    {
        var identifier = (ushort)Environment.ProcessId;
        using var sandbox = NetworkNamespace.Open(PathOf(options));
        using var host = options.HostNamespace is { } path ? NetworkNamespace.Open(path) : NetworkNamespace.Open("/proc/self/ns/net");
        var made = new List<IDisposable>();
        try
        {
            var tunnel = Keep(new EchoSocket(sandbox, own, identifier, options.Clock, heard));
            var datagrams = Keep(new DatagramEcho(sandbox, own, options.Clock, isPeer));
            var underlay = Keep(new EchoSocket(host, options.Vtep, identifier, options.Clock, _ => { }));
            return new ProbeSockets(own, sandbox.Inode, tunnel, datagrams, underlay);
        }
        catch
        {
            made.ForEach(m => m.Dispose());
            throw;
        }

        T Keep<T>(T socket)
            where T : IDisposable
        {
            made.Add(socket);
            return socket;
        }
    }

    /// <summary>Whether they still stand in the ingress_sbox that is there now.</summary>
    public bool Fit(NodeNetworkOptions options, IPAddress own)
    {
        using var there = NetworkNamespace.Open(PathOf(options));
        return own.Equals(Own) && there.Inode == Inode;
    }

    public void Dispose()
    {
        Tunnel.Dispose();
        Datagrams.Dispose();
        Underlay.Dispose();
    }

    private static string PathOf(NodeNetworkOptions options) => Path.Combine(options.NamespaceFolder, WantedSpace.IngressSandbox);
}
