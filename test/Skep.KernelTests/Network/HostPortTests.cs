using System.Diagnostics;
using System.Net.Sockets;
using Skep.Model.Errors;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>Ports of mode host that only some may reach, or only on some addresses, and ranges of them, in both families.</summary>
public sealed class HostPortTests
{
    private const int Port = MeshNodes.HostPort;

    public static TheoryData<AddressFamily, ProtocolType> Kinds => MeshMatrixTests.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Only_clients_of_the_named_ranges_find_somebody_listening(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(1, 65535) { Sources = ["198.18.7.8/30", "fd07::9/128"] }));
        Assert.Equal($"container1 {MeshNodes.Outside(family, 9)}", await nodes.AskAsync(nodes.Client, MeshNodes.Outside(family, 1), protocol, Port));
        await RefusedAsync(nodes, 2, MeshNodes.Outside(family, 1), protocol);
        await RefusedAsync(nodes, 1, MeshNodes.Loopback(family), protocol);
        await AssertSettledAsync(nodes);

        await nodes.ApplyAsync(Access(3, null));
        Assert.StartsWith("container1 ", await nodes.AskAsync(nodes.Second.Host, MeshNodes.Outside(family, 1), protocol, Port), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Only_the_named_addresses_listen_and_the_hosts_programs_keep_the_port_on_the_others(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        Assert.Equal(SocketError.AddressAlreadyInUse, PublishTests.Bind(nodes.First.Host, MeshNodes.Loopback(family), Port, protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram));
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(Port, Port) { Addresses = ["198.18.7.1/32", "fd07::1/128"] }));
        nodes.Serve(nodes.First.Host, "host", Port, MeshNodes.Loopback(family));
        Assert.Equal($"container1 {MeshNodes.Outside(family, 9)}", await nodes.AskAsync(nodes.Client, MeshNodes.Outside(family, 1), protocol, Port));
        Assert.Equal($"host {MeshNodes.Loopback(family)}", await nodes.AskAsync(nodes.First.Host, MeshNodes.Loopback(family), protocol, Port));
        Assert.Equal(SocketError.AddressAlreadyInUse, PublishTests.Bind(nodes.First.Host, MeshNodes.Outside(family, 1), Port, protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram));
        await AssertSettledAsync(nodes);
    }

    [Fact]
    public async Task Which_addresses_are_held_follows_the_hosts_own()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(Port, Port) { Addresses = ["203.0.113.0/24"] }));
        Assert.Equal(SocketError.Success, PublishTests.Bind(nodes.First.Host, "0.0.0.0", Port, SocketType.Stream));
        await NamespaceFixture.RunAsync(nodes.First.Host, "ip", "address", "add", "203.0.113.7/32", "dev", "lo");
        await PublishTests.HeldAsync(nodes.First.Host, "203.0.113.7", Port, nodes.Limit);
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task A_list_of_one_family_lets_nobody_of_the_other_in(AddressFamily family)
    {
        var (named, other) = family == AddressFamily.InterNetwork ? ("0.0.0.0/0", AddressFamily.InterNetworkV6) : ("::/0", AddressFamily.InterNetwork);
        await using var nodes = await MeshNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(Port, Port) { Sources = [named] }));
        Assert.StartsWith("container1 ", await nodes.AskAsync(nodes.Client, MeshNodes.Outside(family, 1), ProtocolType.Tcp, Port), StringComparison.Ordinal);
        await RefusedAsync(nodes, 9, MeshNodes.Outside(other, 1), ProtocolType.Tcp);
        await RefusedAsync(nodes, 9, MeshNodes.Outside(other, 1), ProtocolType.Udp);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_range_is_one_element_with_and_without_restrictions(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        var word = protocol == ProtocolType.Tcp ? "tcp" : "udp";
        await nodes.ApplyAsync(Access(2, null));
        var sandbox = await nodes.First.Network.AttachAsync(
            new SandboxRequest(TestNode.ContainerOf("many"), "many")
            {
                ServiceId = MeshNodes.Hosted,
                Name = "many",
                HostPorts =
                [
                    .. Enumerable.Range(9100, 100).Select(p => new PortConfig { Protocol = word, PublishedPort = (uint)p, TargetPort = (uint)p, PublishMode = PortConfig.Host }),
                    .. Enumerable.Range(0, 3).Select(i => new PortConfig { Protocol = word, PublishedPort = (uint)(9300 + i), TargetPort = (uint)(4000 + i), PublishMode = PortConfig.Host }),
                ],
            },
            nodes.Limit);
        var many = nodes.Kept(Skep.Kernel.Namespaces.NetworkNamespace.Open(sandbox.NamespacePath));
        nodes.Serve(many, "many", 9142);
        nodes.Serve(many, "many", 4002);
        var own = MeshNodes.Outside(family, 1);
        foreach (var port in new[] { 9142, 9302 })
        {
            Assert.Equal($"many {MeshNodes.Outside(family, 9)}", await nodes.AskAsync(nodes.Client, own, protocol, port));
            Assert.StartsWith("many ", await nodes.AskAsync(nodes.Second.Host, own, protocol, port), StringComparison.Ordinal);
        }

        var table = family == AddressFamily.InterNetwork ? "ip" : "ip6";
        Assert.Contains($"{word} . 9100-9199 : ", await NamespaceFixture.RunAsync(nodes.First.Host, "nft", "list", "map", table, "skep", "host-ranges"), StringComparison.Ordinal);

        await nodes.ApplyAsync(Access(3, new PlanPortAccess(9100, 9199) { Sources = ["198.18.7.9/32", "fd07::9/128"] }));
        Assert.Contains($" . {word} . 9100-9199 : ", await NamespaceFixture.RunAsync(nodes.First.Host, "nft", "list", "map", table, "skep", "host-guarded-ranges"), StringComparison.Ordinal);
        Assert.Equal($"many {MeshNodes.Outside(family, 9)}", await nodes.AskAsync(nodes.Client, own, protocol, 9142));
        await PublishFamilyTests.RefusedAsync(nodes, nodes.Second.Host, own, protocol, 9142);
        Assert.StartsWith("many ", await nodes.AskAsync(nodes.Second.Host, own, protocol, 9302), StringComparison.Ordinal);
        await AssertSettledAsync(nodes);
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task Open_connections_outlive_new_restrictions_and_datagrams_do_not(AddressFamily family)
    {
        await using var nodes = await MeshNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, null));
        var tcp = await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(family, 1), ProtocolType.Tcp, Port);
        var udp = await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(family, 1), ProtocolType.Udp, Port);
        Assert.EndsWith(" one", await nodes.SayAsync(tcp, "one"), StringComparison.Ordinal);
        Assert.EndsWith(" one", await nodes.SayAsync(udp, "one"), StringComparison.Ordinal);

        await nodes.ApplyAsync(Access(3, new PlanPortAccess(1, 65535) { Sources = ["192.0.2.0/24", "2001:db8::/32"] }));
        Assert.EndsWith(" two", await nodes.SayAsync(tcp, "two"), StringComparison.Ordinal);
        await Assert.ThrowsAsync<SocketException>(() => nodes.SayAsync(udp, "two"));
        await RefusedAsync(nodes, 9, MeshNodes.Outside(family, 1), ProtocolType.Tcp);

        await nodes.ApplyAsync(Access(4, new PlanPortAccess(1, 65535) { Sources = ["198.18.7.0/24", "fd07::/64"] }));
        Assert.EndsWith(" three", await nodes.SayAsync(udp, "three"), StringComparison.Ordinal);

        await nodes.First.Network.DetachAsync(TestNode.ContainerOf("container1"), nodes.Limit);
        await Assert.ThrowsAnyAsync<Exception>(() => nodes.SayAsync(tcp, "four"));
    }

    [Fact]
    public async Task A_service_that_is_removed_leaves_its_last_containers_ports_as_closed_as_they_were_also_over_a_restart()
    {
        await using var nodes = await MeshNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(1, 65535) { Sources = ["198.18.7.9/32"] }));
        await nodes.ApplyAsync(MeshNodes.Plan(3));
        Assert.StartsWith("container1 ", await nodes.AskAsync(nodes.Client, "198.18.7.1", ProtocolType.Tcp, Port), StringComparison.Ordinal);
        await RefusedAsync(nodes, 2, "198.18.7.1", ProtocolType.Tcp);

        await nodes.First.StopAsync();
        nodes.First.Log.Clear();
        nodes.First.Start();
        await nodes.First.ApplyAsync(MeshNodes.Plan(3), nodes.Limit);
        Assert.StartsWith("container1 ", await nodes.AskAsync(nodes.Client, "198.18.7.1", ProtocolType.Tcp, Port), StringComparison.Ordinal);
        await RefusedAsync(nodes, 2, "198.18.7.1", ProtocolType.Tcp);
        Assert.Empty(nodes.First.Log.Differences);
    }

    [Fact]
    public async Task A_port_that_a_program_has_is_refused_with_its_name_and_given_on_the_addresses_that_it_leaves_free()
    {
        await using var nodes = await MeshNodes.StartAsync();
        using var program = Listener(nodes);
        try
        {
            await nodes.First.Network.Listeners.WaitAsync(l => l?.Any(one => one.Port == 8022) == true, nodes.Limit);
            var request = new SandboxRequest(TestNode.ContainerOf("ssh"), "ssh")
            {
                ServiceId = "ssh",
                Name = "ssh",
                HostPorts = [new PortConfig { PublishedPort = 8022, TargetPort = 3000, PublishMode = PortConfig.Host }],
            };
            var refusal = await Assert.ThrowsAsync<ClusterException>(() => nodes.First.Network.AttachAsync(request, nodes.Limit));
            Assert.Equal("failed to bind host port for 0.0.0.0:8022/tcp: address already in use by busybox", refusal.Message);

            await nodes.ApplyAsync(MeshNodes.With(MeshNodes.Plan(2), "ssh", s => s with { Access = [new PlanPortAccess(8022, 8022) { Addresses = ["127.0.0.0/8"] }] }));
            refusal = await Assert.ThrowsAsync<ClusterException>(() => nodes.First.Network.AttachAsync(request, nodes.Limit));
            Assert.Equal("failed to bind host port for 127.0.0.1:8022/tcp: address already in use by busybox", refusal.Message);

            await nodes.ApplyAsync(MeshNodes.With(MeshNodes.Plan(3), "ssh", s => s with { Access = [new PlanPortAccess(8022, 8022) { Addresses = ["198.18.7.0/24"] }] }));
            var sandbox = await nodes.First.Network.AttachAsync(request, nodes.Limit);
            nodes.Serve(nodes.Kept(Skep.Kernel.Namespaces.NetworkNamespace.Open(sandbox.NamespacePath)), "ssh");
            Assert.Equal("ssh 198.18.7.9", await nodes.AskAsync(nodes.Client, "198.18.7.1", ProtocolType.Tcp, 8022));
            var local = await nodes.ConnectAsync(nodes.First.Host, "127.0.0.1", ProtocolType.Tcp, 8022);
            Assert.StartsWith("HTTP/1.1 404", await nodes.SayAsync(local, "GET /none HTTP/1.0\r\n\r\n"), StringComparison.Ordinal);
        }
        finally
        {
            program.Kill();
        }
    }

    private static Task RefusedAsync(MeshNodes nodes, int machine, string address, ProtocolType protocol) =>
        PublishFamilyTests.RefusedAsync(nodes, machine switch { 1 => nodes.First.Host, 2 => nodes.Second.Host, _ => nodes.Client }, address, protocol, Port);

    private static async Task AssertSettledAsync(MeshNodes nodes)
    {
        nodes.First.Log.Clear();
        await nodes.First.Network.AuditAsync(nodes.Limit);
        Assert.Empty(nodes.First.Log.Differences);
    }

    private static NodePlan Access(ulong revision, PlanPortAccess? access) =>
        MeshNodes.With(MeshNodes.Plan(revision), MeshNodes.Hosted, s => s with { Access = access is null ? null : [access] });

    /// <summary>A program of the first host's own on its loopback.</summary>
    private static Process Listener(MeshNodes nodes)
    {
        var start = new ProcessStartInfo("nsenter");
        foreach (var argument in (string[])[$"--net={nodes.First.Host.Origin}", "busybox", "httpd", "-f", "-p", "127.0.0.1:8022", "-h", nodes.First.Folder])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }
}
