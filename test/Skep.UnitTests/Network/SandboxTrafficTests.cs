using System.Net;
using Skep.Kernel.Sockets;
using Skep.Network;

namespace Skep.UnitTests.Network;

public sealed class SandboxTrafficTests
{
    [Fact]
    public void What_came_in_from_outside_counts_and_nothing_else()
    {
        SocketEntry[] tcps =
        [
            Socket(SocketState.Listen, "0.0.0.0", 80),
            Socket(SocketState.Listen, "127.0.0.11", 61053),
            Socket(SocketState.Established, "10.0.1.5", 80),
            Socket(SocketState.CloseWait, "10.0.1.5", 80),
            Socket(SocketState.NewSynReceived, "10.0.1.5", 80),
            Socket(SocketState.Established, "127.0.0.1", 80),
            Socket(SocketState.Established, "10.0.1.5", 44321),
            Socket(SocketState.FinWait1, "10.0.1.5", 80),
            Socket(SocketState.LastAck, "127.0.0.1", 80),
        ];
        SocketEntry[] udps = [Socket(SocketState.Close, "0.0.0.0", 53) with { ReceiveQueue = 7 }, Socket(SocketState.Close, "127.0.0.11", 61053) with { ReceiveQueue = 9 }];

        var traffic = SandboxTraffic.Of(tcps, udps);

        Assert.Equal((3, 1, 7L), (traffic.Flows, traffic.Closing, traffic.Unread));
        Assert.Equal([80], traffic.TcpPorts);
        Assert.Equal([53], traffic.UdpPorts);
    }

    private static SocketEntry Socket(SocketState state, string address, int port) =>
        new(state, new IPEndPoint(IPAddress.Parse(address), port), new IPEndPoint(IPAddress.Parse("10.0.1.9"), 5000), 0, 0);
}
