using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Sockets;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Kernel;

/// <summary>What sock_diag tells of the sockets of a namespace.</summary>
public sealed class SocketTests : IDisposable
{
    private readonly NamespaceFixture _namespaces = new();

    public void Dispose() => _namespaces.Dispose();

    [Fact]
    public async Task Listeners_and_both_ends_of_a_connection_are_seen_in_their_own_namespace_alone()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var (here, there) = (_namespaces.Create("here"), _namespaces.Create("there"));
        NamespaceFixture.Join(here, "e0", "198.18.7.1/24", there, "e0", "198.18.7.2/24");
        using var table = SocketTable.Open(here);
        Assert.Empty(table.Tcps(SocketState.Listen));

        using var listener = NamespaceFixture.Listen(here, 8000);
        Assert.Equal(new IPEndPoint(IPAddress.Any, 8000), Assert.Single(table.Tcps(SocketState.Listen)).Local);
        using var client = NamespaceFixture.OpenSocket(there, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(new IPEndPoint(IPAddress.Parse("198.18.7.1"), 8000), cancellationToken);
        using var served = await listener.AcceptAsync(cancellationToken);
        await client.SendAsync(new byte[] { 1, 2, 3 }, cancellationToken);
        Assert.True(served.Poll(TimeSpan.FromSeconds(5), SelectMode.SelectRead));

        var flow = Assert.Single(table.Tcps(SocketState.Established));
        Assert.Equal((SocketState.Established, 8000, client.LocalEndPoint, 3u), (flow.State, flow.Local.Port, flow.Remote, flow.ReceiveQueue));
        Assert.Single(table.Tcps(SocketState.Listen, SocketState.TimeWait));
    }

    [Fact]
    public void An_IPv6_socket_that_also_takes_IPv4_and_a_bound_UDP_socket_are_seen()
    {
        var here = _namespaces.Create("six");
        using var table = SocketTable.Open(here);
        using var listener = NamespaceFixture.OpenSocket(here, SocketType.Stream, ProtocolType.Tcp, AddressFamily.InterNetworkV6);
        listener.DualMode = true;
        listener.Bind(new IPEndPoint(IPAddress.IPv6Any, 8080));
        listener.Listen();
        using var datagrams = NamespaceFixture.OpenSocket(here, SocketType.Dgram, ProtocolType.Udp);
        datagrams.Bind(new IPEndPoint(IPAddress.Any, 5353));

        Assert.Equal(8080, Assert.Single(table.Tcps(SocketState.Listen)).Local.Port);
        Assert.Equal(5353, Assert.Single(table.Udps()).Local.Port);
    }
}
