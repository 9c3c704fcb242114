using System.Net.Sockets;
using Skep.Kernel.Namespaces;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>
/// Rules that somebody writes towards a task that does not serve what was asked for, while no daemon is there to take them away: nobody
/// arrives. That they would lead there is seen without the look at members.
/// </summary>
public sealed class MemberTests
{
    public static TheoryData<AddressFamily, ProtocolType> Kinds => MeshMatrixTests.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_rule_that_leads_a_VIPs_flows_elsewhere_misleads_nobody(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await FamilyNodes.StartAsync(AddressFamily.InterNetwork);
        var (vip, wrong) = (FamilyNodes.AddressOn(FamilyNodes.Both, family, 2), FamilyNodes.AddressOn(FamilyNodes.Both, family, 3));
        // web1 is there, and none of the service's any more.
        var plan = nodes.Without(2, "web1");
        await nodes.First.ApplyAsync(plan, nodes.Limit);
        await nodes.First.StopAsync();
        var name = Directory.EnumerateFiles(Path.GetDirectoryName(nodes.First.PathOf("any"))!, $"*-{FamilyNodes.Both.Id[..10]}").Single();
        using var space = NetworkNamespace.Open(name);
        await NamespaceFixture.RunAsync(space, "nft", "insert", "rule", Word(family), "skep-0", "service-web", Only(protocol), "dnat", "to", wrong);
        await NobodyAsync(() => nodes.AskAsync(nodes.Caller, vip, protocol));

        await BlindAsync(space, family);
        Assert.StartsWith("web1 ", await nodes.AskAsync(nodes.Caller, vip, protocol), StringComparison.Ordinal);

        nodes.First.Start();
        await nodes.First.ApplyAsync(plan with { Revision = 3 }, nodes.Limit);
        Assert.StartsWith("web2 ", await nodes.AskAsync(nodes.Caller, vip, protocol), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_rule_that_leads_a_published_ports_flows_elsewhere_misleads_nobody(AddressFamily family, ProtocolType protocol)
    {
        await using var nodes = await MeshNodes.StartAsync();
        // spare is on the second machine and serves nothing in this plan.
        await nodes.Second.StopAsync();
        var wrong = family == AddressFamily.InterNetwork ? $"10.0.0.6:{MeshNodes.Target}" : $"[fd00:0:0:5::6]:{MeshNodes.Target}";
        foreach (var chain in new[] { "past-refusals", "own-past-refusals" })
        {
            await NamespaceFixture.RunAsync(
                nodes.Second.Host, "nft", "insert", "rule", Word(family), "skep", chain, "fib", "daddr", "type", "local", Only(protocol), "th", "dport", $"{MeshNodes.Published}", "dnat", "to", wrong);
        }

        (NetworkNamespace From, string To)[] clients =
        [
            (nodes.Client, MeshNodes.Outside(family, 2)), (nodes.Second.Host, MeshNodes.Loopback(family)), (nodes.Container2, MeshNodes.Outside(family, 2)),
        ];
        await Task.WhenAll(clients.Select(c => NobodyAsync(() => nodes.AskAsync(c.From, c.To, protocol))));

        await BlindAsync(nodes.Second.Host, family);
        foreach (var (from, to) in clients)
        {
            Assert.StartsWith("spare ", await nodes.AskAsync(from, to, protocol), StringComparison.Ordinal);
        }

        nodes.Second.Start();
        await nodes.Second.ApplyAsync(MeshNodes.Plan(1), nodes.Limit);
        foreach (var (from, to) in clients)
        {
            Assert.StartsWith("web ", await nodes.AskAsync(from, to, protocol), StringComparison.Ordinal);
        }
    }

    // A machine's own program is told at once that its datagram may not go out.
    private static async Task NobodyAsync(Func<Task<string>> asking)
    {
        var end = await Assert.ThrowsAnyAsync<Exception>(asking);
        Assert.True(end is OperationCanceledException or SocketException { SocketErrorCode: SocketError.AccessDenied }, end.ToString());
    }

    private static Task<string> BlindAsync(NetworkNamespace ns, AddressFamily family) => NamespaceFixture.RunAsync(ns, "nft", "flush", "chain", Word(family), "skep", "members");

    private static string Only(ProtocolType protocol) => protocol == ProtocolType.Tcp ? "meta l4proto tcp" : "meta l4proto udp";

    private static string Word(AddressFamily family) => family == AddressFamily.InterNetwork ? "ip" : "ip6";
}
