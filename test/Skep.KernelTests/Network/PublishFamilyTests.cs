using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>Who may reach published ports of the mesh, and where, and many of them at once: the same in both families, TCP and UDP.</summary>
public sealed class PublishFamilyTests
{
    public static TheoryData<AddressFamily, ProtocolType> Kinds => MeshMatrixTests.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Only_clients_of_the_named_ranges_find_somebody_listening(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(8000, 8000) { Sources = ["198.18.7.8/30", "192.0.2.7/32", "2001:db8::/32", "fd07::8/125"] }));
        foreach (var entry in new[] { 1, 2 })
        {
            Assert.Equal($"web {MeshNodes.Outside(family, 9)}", await nodes.AskAsync(nodes.Client, MeshNodes.Outside(family, entry), protocol));
        }

        await RefusedAsync(nodes, nodes.Second.Host, MeshNodes.Outside(family, 1), protocol);
        await RefusedAsync(nodes, nodes.First.Host, MeshNodes.Loopback(family), protocol);

        // What the rules let in is what the kernel holds: nothing is found to differ.
        nodes.First.Log.Clear();
        await nodes.First.Network.AuditAsync(nodes.Limit);
        Assert.Empty(nodes.First.Log.Differences);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Only_the_named_local_addresses_listen_and_the_host_keeps_the_port_on_the_others(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(8000, 8000) { Addresses = ["198.18.7.1/32", "fd07::1/128"] }));
        Assert.Equal($"web {MeshNodes.Outside(family, 9)}", await nodes.AskAsync(nodes.Client, MeshNodes.Outside(family, 1), protocol));
        await RefusedAsync(nodes, nodes.Client, MeshNodes.Outside(family, 2), protocol);
        await RefusedAsync(nodes, nodes.First.Host, MeshNodes.Loopback(family), protocol);
        nodes.Serve(nodes.First.Host, "host", 8000, MeshNodes.Loopback(family));
        Assert.Equal($"host {MeshNodes.Loopback(family)}", await nodes.AskAsync(nodes.First.Host, MeshNodes.Loopback(family), protocol));
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task A_list_of_one_family_lets_nobody_of_the_other_in(AddressFamily family)
    {
        var (named, other) = family == AddressFamily.InterNetwork ? ("0.0.0.0/0", AddressFamily.InterNetworkV6) : ("::/0", AddressFamily.InterNetwork);
        await using var nodes = await MeshNodes.StartAsync();
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(8000, 8000) { Sources = [named] }));
        Assert.StartsWith("web ", await nodes.AskAsync(nodes.Client, MeshNodes.Outside(family, 1), ProtocolType.Tcp), StringComparison.Ordinal);
        await RefusedAsync(nodes, nodes.Client, MeshNodes.Outside(other, 1), ProtocolType.Tcp);

        await nodes.ApplyAsync(Access(3, new PlanPortAccess(8000, 8000) { Addresses = [named] }));
        Assert.StartsWith("web ", await nodes.AskAsync(nodes.Client, MeshNodes.Outside(family, 2), ProtocolType.Udp), StringComparison.Ordinal);
        await RefusedAsync(nodes, nodes.Client, MeshNodes.Outside(other, 2), ProtocolType.Udp);

        await nodes.ApplyAsync(MeshNodes.Plan(4));
        Assert.StartsWith("web ", await nodes.AskAsync(nodes.Client, MeshNodes.Outside(other, 2), ProtocolType.Tcp), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Ranges_are_one_element_each_and_restricted_as_one(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        var word = protocol == ProtocolType.Tcp ? "tcp" : "udp";
        // 16384 to 16639 and 20000 to 20099 keep their numbers; 21000 to 21003 lead to 3000 to 3003.
        var ports = Enumerable.Range(16384, 256).Select(p => Port(word, p, p))
            .Concat(Enumerable.Range(20000, 100).Select(p => Port(word, p, p)))
            .Concat(Enumerable.Range(0, 4).Select(i => Port(word, 21000 + i, 3000 + i)));
        var client = family == AddressFamily.InterNetwork ? "198.18.7.9" : "fd07::9";
        await nodes.ApplyAsync(Web(2, s => s with
        {
            Ports = [.. ports],
            Access = [new PlanPortAccess(20000, 20099) { Sources = [$"{client}/{(family == AddressFamily.InterNetwork ? 32 : 128)}"] }],
        }));
        var (table, any) = family == AddressFamily.InterNetwork ? ("ip", "0.0.0.0/0") : ("ip6", "::/0");
        var rules = await NamespaceFixture.RunAsync(nodes.Second.Host, "nft", "list", "table", table, "skep");
        Assert.Contains($"{word} . 16384-16639", rules, StringComparison.Ordinal);
        Assert.Contains($"{client} . {any} . {word} . 20000-20099", rules, StringComparison.Ordinal);

        nodes.Serve(nodes.Web, "web", 16500);
        nodes.Serve(nodes.Web, "web", 20050);
        nodes.Serve(nodes.Web, "web", 3002);
        foreach (var port in new[] { 16500, 20050, 21002 })
        {
            Assert.Equal($"web {client}", await nodes.AskAsync(nodes.Client, MeshNodes.Outside(family, 2), protocol, port));
        }

        Assert.StartsWith("web ", await nodes.AskAsync(nodes.First.Host, MeshNodes.Outside(family, 2), protocol, 16500), StringComparison.Ordinal);
        await RefusedAsync(nodes, nodes.First.Host, MeshNodes.Outside(family, 2), protocol, 20050);
        await RefusedAsync(nodes, nodes.Client, MeshNodes.Outside(family, 2), protocol, 20100);
        nodes.Second.Log.Clear();
        await nodes.Second.Network.AuditAsync(nodes.Limit);
        Assert.Empty(nodes.Second.Log.Differences);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Weights_affinity_random_and_local_first_count_on_restricted_ranges_too(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        var word = protocol == ProtocolType.Tcp ? "tcp" : "udp";
        var entry = MeshNodes.Outside(family, 2);
        nodes.Serve(nodes.Web, "web", 20005);
        nodes.Serve(nodes.Spare, "spare", 20005);
        // 20000 to 20009 keep their numbers, 8000 does not.
        ulong revision = 1;
        Task BalanceAsync(PlanBalance? balance, string spare = "web") => nodes.ApplyAsync(Ranged(++revision, word, balance, spare));

        foreach (var port in new[] { 8000, 20005 })
        {
            await BalanceAsync(new PlanBalance(BalanceMode.RoundRobin, 3) { Members = [new PlanMember("canary", 1)] }, "canary");
            Assert.Equal(["spare", "web", "web", "web"], (await TurnsAsync(nodes, nodes.Client, entry, protocol, port, 4)).Order());

            await BalanceAsync(new PlanBalance(BalanceMode.Source) { AffinitySeconds = 600 });
            Assert.Single((await TurnsAsync(nodes, nodes.Client, entry, protocol, port, 5)).Distinct());

            await BalanceAsync(new PlanBalance(BalanceMode.LocalFirst));
            Assert.Equal(["spare", "spare", "spare"], await TurnsAsync(nodes, nodes.Client, entry, protocol, port, 3));
            Assert.Equal(["web", "web", "web"], await TurnsAsync(nodes, nodes.Client, MeshNodes.Outside(family, 1), protocol, port, 3));

            await BalanceAsync(new PlanBalance(BalanceMode.Random));
            Assert.Equal(2, (await TurnsAsync(nodes, nodes.Client, entry, protocol, port, 32)).Distinct().Count());
            await RefusedAsync(nodes, nodes.First.Host, entry, protocol, port);
        }
    }

    [Theory]
    [InlineData(AddressFamily.InterNetwork)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task Datagrams_of_who_is_let_in_no_more_are_refused_at_once_and_those_of_who_is_let_in_again_arrive(AddressFamily family)
    {
        await using var nodes = await MeshNodes.StartAsync();
        var socket = await nodes.ConnectAsync(nodes.Client, MeshNodes.Outside(family, 2), ProtocolType.Udp);
        Assert.EndsWith(" one", await nodes.SayAsync(socket, "one"), StringComparison.Ordinal);
        await nodes.ApplyAsync(Access(2, new PlanPortAccess(8000, 8000) { Sources = ["192.0.2.0/24", "2001:db8::/32"] }));
        await Assert.ThrowsAsync<SocketException>(() => nodes.SayAsync(socket, "two"));
        await nodes.ApplyAsync(Access(3, new PlanPortAccess(8000, 8000) { Sources = ["192.0.2.0/24", "198.18.7.0/24", "fd07::/64"] }));
        Assert.EndsWith(" three", await nodes.SayAsync(socket, "three"), StringComparison.Ordinal);
    }

    internal static async Task RefusedAsync(MeshNodes nodes, NetworkNamespace from, string address, ProtocolType protocol, int port = MeshNodes.Published)
    {
        // What an ICMPv6 error quotes is not put right on its way to ::1.
        if ((address, protocol) == ("::1", ProtocolType.Udp))
        {
            await Assert.ThrowsAnyAsync<Exception>(() => nodes.AskAsync(from, address, protocol, port));
            return;
        }

        var refusal = await Assert.ThrowsAsync<SocketException>(() => nodes.AskAsync(from, address, protocol, port));
        Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
    }

    private static async Task<List<string>> TurnsAsync(MeshNodes nodes, NetworkNamespace from, string address, ProtocolType protocol, int port, int times)
    {
        var answers = new List<string>();
        for (var i = 0; i < times; i++)
        {
            answers.Add((await nodes.AskAsync(from, address, protocol, port)).Split(' ')[0]);
        }

        return answers;
    }

    private static NodePlan Ranged(ulong revision, string protocol, PlanBalance? balance, string spare)
    {
        var plan = MeshNodes.With(MeshNodes.Plan(revision, "web", "spare"), "web", s => s with
        {
            Balance = balance,
            Ports = [Port(protocol, 8000, MeshNodes.Target), .. Enumerable.Range(20000, 10).Select(p => Port(protocol, p, p))],
            Access = [new PlanPortAccess(1, 65535) { Sources = ["198.18.7.9/32", "fd07::9/128"] }],
        });
        var ingress = plan.Networks[MeshNodes.Ingress.Id];
        return plan with
        {
            Networks = plan.Networks.SetItem(MeshNodes.Ingress.Id, ingress with { Endpoints = ingress.Endpoints.SetItem("spare", ingress.Endpoints["spare"] with { ServiceId = spare }) }),
        };
    }

    private static PortConfig Port(string protocol, int published, int target) =>
        new() { Protocol = protocol, PublishedPort = (uint)published, TargetPort = (uint)target };

    private static NodePlan Access(ulong revision, PlanPortAccess access) => Web(revision, s => s with { Access = [access] });

    private static NodePlan Web(ulong revision, Func<PlanService, PlanService> change) => MeshNodes.With(MeshNodes.Plan(revision), "web", change);
}
