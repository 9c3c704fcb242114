using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace Skep.Network.Sockets;

/// <summary>An element of <see cref="SocketLayout.DatagramPeers"/>: which VIP a socket had asked for when it got a backend.</summary>
internal readonly record struct ConnectedPeer(ulong Cookie, MapAddress Backend, ushort Port, MapAddress Vip)
{
    public const int Size = SocketLayout.FlowKeySize + MapAddress.Size;

    public static ConnectedPeer Read(ReadOnlySpan<byte> element) => new(
        MemoryMarshal.Read<ulong>(element),
        MemoryMarshal.Read<MapAddress>(element[8..]),
        BinaryPrimitives.ReadUInt16BigEndian(element[24..]),
        MemoryMarshal.Read<MapAddress>(element[SocketLayout.FlowKeySize..]));

    public bool IsAt(IPEndPoint end) => end.Port == Port && MapAddress.Of(end.Address) == Backend;

    /// <summary>What the program had asked for.</summary>
    public IPEndPoint Asked => new(Vip.Address, Port);
}
