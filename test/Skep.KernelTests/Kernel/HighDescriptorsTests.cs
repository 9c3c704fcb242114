using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Native;
using Skep.Kernel.Sockets;

namespace Skep.KernelTests.Kernel;

public sealed class HighDescriptorsTests
{
    [Fact]
    public void A_raised_socket_holds_its_port_and_leaves_the_small_descriptor_free()
    {
        using var other = new Socket(SocketType.Dgram, ProtocolType.Udp);
        var bound = new Socket(SocketType.Dgram, ProtocolType.Udp);
        bound.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        var place = bound.LocalEndPoint!;
        using (var raised = HighDescriptors.Raise(bound))
        {
            Assert.True(raised.Handle >= 1024, $"descriptor {raised.Handle}");
            Assert.True(bound.SafeHandle.IsClosed);
            Assert.Equal(place, raised.LocalEndPoint);
            Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => other.Bind(place)).SocketErrorCode);
        }

        ForkedCopies.WaitOut();
        other.Bind(place);
    }
}
