using System.Net;

namespace Skep.Kernel.Sockets;

/// <summary>One socket of a namespace.</summary>
/// <param name="State">Where it is in its life.</param>
/// <param name="Local">Its own end. An IPv4 flow of an IPv6 socket has IPv4 addresses here.</param>
/// <param name="Remote">The other end; all zeros when there is none.</param>
/// <param name="ReceiveQueue">Bytes that arrived and were not read; of a listening socket: connections that were not accepted.</param>
/// <param name="SendQueue">Bytes that were sent and not acknowledged.</param>
public sealed record SocketEntry(SocketState State, IPEndPoint Local, IPEndPoint Remote, uint ReceiveQueue, uint SendQueue)
{
    /// <summary>By which a process' descriptors name it (<c>socket:[8123]</c>); 0: the kernel's own.</summary>
    public uint Inode { get; init; }

    /// <summary>By which eBPF programs name it (SO_COOKIE).</summary>
    public ulong Cookie { get; init; }
}
