using System.Text.RegularExpressions;
using Skep.Kernel.Namespaces;
using Skep.KernelTests.Network;
using Skep.Model.Plans;
using Skep.Testing.Kernel;

namespace Skep.ClassicTests.Classic;

/// <summary>The classic steps of the walkthroughs W1, W3 and W4, with the commands that they print, on a kernel that has IPVS.</summary>
public sealed class ClassicWalkthroughTests(ClassicMachine machine) : IClassFixture<ClassicMachine>
{
    [Fact]
    public async Task PortsAndVipsAreBalancedInTurnOnEveryNode() => await machine.RunAsync(AsksAsync, TimeSpan.FromSeconds(120));

    [Fact]
    public async Task TheHostSendsPublishedPortsToIngressSbox()
    {
        var nat = await machine.OnAsync("node3", "iptables -nL -t nat");
        Assert.Matches(@"DNAT .* tcp dpt:8000 to:172\.18\.0\.2:8000\n *RETURN", nat);
        Assert.Matches(@"Chain PREROUTING [^\n]*\n[^\n]*\n *DOCKER-INGRESS", nat);
        Assert.Contains("ADDRTYPE match dst-type LOCAL", nat, StringComparison.Ordinal);
        Assert.Matches(@"DOCKER-INGRESS", await machine.OnAsync("node3", "iptables -nL"));
    }

    [Fact]
    public async Task IngressSboxMarksAndBalances()
    {
        var sbox = $"nsenter --net={ClassicMachine.Space(3, "ingress_sbox")} ";
        Assert.Matches(@"MARK .* tcp dpt:8000 MARK set 0x100", await machine.ShellAsync(sbox + "iptables -nL -t mangle"));
        Assert.Matches(@"FWM  256 rr\n *-> 10\.0\.0\.5:0 +Masq +1 .*\n *-> 10\.0\.0\.6:0 +Masq +1 ", await machine.ShellAsync(sbox + "ipvsadm -ln"));
        Assert.Contains("ipvs to:10.0.0.13", await machine.ShellAsync(sbox + "iptables -nL -t nat"), StringComparison.Ordinal);
        var addresses = await machine.ShellAsync(sbox + "ip -br -4 a");
        Assert.Matches(@"eth0@\S+ +UP +10\.0\.0\.13/24 10\.0\.0\.4/32", addresses);
        Assert.Matches(@"eth1@\S+ +UP +172\.18\.0\.2/16", addresses);
    }

    [Fact]
    public async Task TheNetworksLoadBalancerHasTheVipsAndBalances()
    {
        var spaces = await machine.ShellAsync("ls /tmp/classic-3/netns");
        Assert.Contains("lb_demoxxxxx", spaces, StringComparison.Ordinal);
        var lb = $"nsenter --net={ClassicMachine.Space(3, "lb_demoxxxxx")} ";
        Assert.Matches(@"eth0@\S+ +UP +10\.0\.1\.23/24 .*10\.0\.1\.2/32", await machine.ShellAsync(lb + "ip -br -4 a"));
        Assert.Matches(@"-> 10\.0\.1\.3:0 +Masq +1 .*\n *-> 10\.0\.1\.4:0 +Masq +1 ", await machine.ShellAsync(lb + "ipvsadm -ln"));
        Assert.Contains("-A INPUT -d 10.0.1.2/32 -j MARK --set-xmark", await machine.ShellAsync(lb + "iptables-save"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheGatewayBridgeLetsContainersOutAndNotToOneAnother() => await machine.RunAsync(NeighboursAsync, TimeSpan.FromSeconds(120));

    [Fact]
    public async Task ADrainingTaskHasWeightZeroEverywhere() => await machine.RunAsync(DrainsAsync, TimeSpan.FromSeconds(120));

    [Fact]
    public async Task WhatIsBrokenByHandComesBack() => await machine.RunAsync(RepairsAsync, TimeSpan.FromSeconds(120));

    private static async Task AsksAsync()
    {
        var nodes = await ClassicNodes.GetAsync();
        foreach (var address in new[] { "198.18.5.1", "198.18.5.2", "198.18.5.3" })
        {
            await InTurnAsync(() => nodes.AskAsync(nodes.Client, address, 8000));
        }

        // On the node itself, the walkthrough's curl 127.0.0.1:8000.
        await InTurnAsync(() => nodes.AskAsync(nodes.Nodes[2].Host, "127.0.0.1", 8000));
        await InTurnAsync(() => nodes.AskAsync(nodes.Tasks["client"], "10.0.1.2", 3000));
        await InTurnAsync(() => nodes.AskAsync(nodes.Tasks["whoami1"], "10.0.1.2", 3000));

        // The load balancer's address stands for every client: of the mesh the entry node's, of the VIP the client's node's.
        Assert.EndsWith(" 10.0.0.13", await nodes.AskAsync(nodes.Client, "198.18.5.3", 8000), StringComparison.Ordinal);
        Assert.EndsWith(" 10.0.1.23", await nodes.AskAsync(nodes.Tasks["client"], "10.0.1.2", 3000), StringComparison.Ordinal);
        Assert.Equal("whoami2 10.0.1.8", await nodes.AskAsync(nodes.Tasks["client"], "10.0.1.4", 3000));
        Assert.Contains("1 received", await NamespaceFixture.RunAsync(nodes.Tasks["client"], "ping", "-c1", "-W2", "10.0.1.2"), StringComparison.Ordinal);

        // Tasks cannot use the ingress network for anything else.
        await Assert.ThrowsAnyAsync<Exception>(() => nodes.AskAsync(nodes.Tasks["whoami1"], "10.0.0.6", 3000));
    }

    private static async Task InTurnAsync(Func<Task<string>> askAsync)
    {
        var names = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            names.Add((await askAsync()).Split(' ')[0]);
        }

        Assert.Equal(2, names.Distinct().Count());
        Assert.Equal(names[..2], names[2..]);
    }

    private static async Task NeighboursAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var nodes = await ClassicNodes.GetAsync();
        var node = nodes.Nodes[2];
        using var neighbour = await node.AttachAsync(ClassicNodes.Request("neighbour", null, "10.0.1.9/24"), limit.Token);
        try
        {
            // One veth for each of the two, and one for ingress_sbox.
            Assert.Equal(3, Regex.Count(await NamespaceFixture.RunAsync(node.Host, "ip", "-o", "link", "show", "master", "docker_gwbridge"), @"\d+: veth\w*@"));
            var address = Regex.Match(await NamespaceFixture.RunAsync(neighbour, "ip", "a"), @"eth1@(?s:.*?) inet (172\.18\.0\.\d+)/16 ").Groups[1].Value;
            Assert.NotEqual("", address);

            Assert.True(await AnswersAsync(node.Host, address));
            Assert.False(await AnswersAsync(nodes.Tasks["client"], address));
            Assert.True(await AnswersAsync(nodes.Tasks["client"], "198.18.5.1"));
            // The control: what keeps them apart is the rule.
            await NamespaceFixture.RunAsync(node.Host, "iptables", "-I", "DOCKER-USER", "-o", "docker_gwbridge", "-j", "ACCEPT");
            Assert.True(await AnswersAsync(nodes.Tasks["client"], address));
            await NamespaceFixture.RunAsync(node.Host, "iptables", "-D", "DOCKER-USER", "-o", "docker_gwbridge", "-j", "ACCEPT");
        }
        finally
        {
            await node.Network.DetachAsync(TestNode.ContainerOf("neighbour"), limit.Token);
        }
    }

    private static async Task<bool> AnswersAsync(NetworkNamespace from, string address) =>
        (await NamespaceFixture.RunAsync(from, "sh", "-c", $"ping -c 1 -W 2 {address} || true")).Contains(" 1 received", StringComparison.Ordinal);

    private static async Task DrainsAsync()
    {
        var nodes = await ClassicNodes.GetAsync();
        await nodes.ApplyAsync(100, EndpointState.Draining);
        try
        {
            foreach (var (node, space) in new[] { (0, "ingress_sbox"), (2, "lb_demoxxxxx") })
            {
                using var ns = nodes.Nodes[node].Open(space);
                var listing = await NamespaceFixture.RunAsync(ns, "ipvsadm", "-ln");
                Assert.Matches(@"-> 10\.0\.[01]\.(3|5):0 +Masq +0 ", listing);
            }

            for (var i = 0; i < 3; i++)
            {
                Assert.StartsWith("whoami2", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000), StringComparison.Ordinal);
                Assert.StartsWith("whoami2", await nodes.AskAsync(nodes.Tasks["client"], "10.0.1.2", 3000), StringComparison.Ordinal);
            }
        }
        finally
        {
            await nodes.ApplyAsync(101);
        }
    }

    private static async Task RepairsAsync()
    {
        var nodes = await ClassicNodes.GetAsync();
        using var sbox = nodes.Nodes[2].Open("ingress_sbox");
        await NamespaceFixture.RunAsync(nodes.Nodes[2].Host, "iptables", "-t", "nat", "-F", "DOCKER-INGRESS");
        await NamespaceFixture.RunAsync(sbox, "ipvsadm", "-C");
        await NamespaceFixture.RunAsync(sbox, "iptables", "-t", "mangle", "-F");
        await NamespaceFixture.RunAsync(nodes.Nodes[2].Host, "iptables", "-t", "nat", "-I", "PREROUTING", "-p", "tcp", "--dport", "9", "-j", "ACCEPT");
        // iptables-legacy gives no notice: the look at everything finds it, which comes by itself every half a minute.
        await nodes.Nodes[2].Network.AuditAsync(CancellationToken.None);
        await InTurnAsync(() => nodes.AskAsync(nodes.Client, "198.18.5.3", 8000));

        // What users wrote into their chain stays through all of that, and comes before everything of ours.
        await NamespaceFixture.RunAsync(nodes.Nodes[2].Host, "iptables", "-I", "DOCKER-USER", "-p", "tcp", "--dport", "9", "-j", "DROP");
        await NamespaceFixture.RunAsync(nodes.Nodes[2].Host, "iptables", "-F", "FORWARD");
        await nodes.Nodes[2].Network.AuditAsync(CancellationToken.None);
        var filter = await NamespaceFixture.RunAsync(nodes.Nodes[2].Host, "iptables", "-S");
        Assert.Contains("-A DOCKER-USER -p tcp -m tcp --dport 9 -j DROP\n-A DOCKER-USER -j RETURN", filter, StringComparison.Ordinal);
        Assert.Matches(@"-P OUTPUT ACCEPT(\n-N \S+)+\n(-A (IN|OUT)PUT [^\n]*\n)*-A FORWARD -j DOCKER-USER\n-A FORWARD -j DOCKER-INGRESS\n", filter);
        // A rule for a published port keeps everybody outside from it.
        await NamespaceFixture.RunAsync(nodes.Nodes[2].Host, "iptables", "-I", "DOCKER-USER", "-i", "e0", "-p", "tcp", "-m", "conntrack", "--ctorigdstport", "8000", "-j", "DROP");
        await Assert.ThrowsAnyAsync<Exception>(() => nodes.AskAsync(nodes.Client, "198.18.5.3", 8000));
        await NamespaceFixture.RunAsync(nodes.Nodes[2].Host, "iptables", "-F", "DOCKER-USER");
        await nodes.Nodes[2].Network.AuditAsync(CancellationToken.None);
        await InTurnAsync(() => nodes.AskAsync(nodes.Client, "198.18.5.3", 8000));
        Assert.DoesNotContain("-A DOCKER-USER", await NamespaceFixture.RunAsync(nodes.Nodes[2].Host, "iptables", "-S"), StringComparison.Ordinal);

        // Another's rule stays where it is not in the way.
        Assert.Contains("tcp dpt:9", await NamespaceFixture.RunAsync(nodes.Nodes[2].Host, "iptables", "-nL", "PREROUTING", "-t", "nat"), StringComparison.Ordinal);
    }
}
