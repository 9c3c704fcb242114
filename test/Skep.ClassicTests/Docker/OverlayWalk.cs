using System.Text.RegularExpressions;
using Skep.ClassicTests.Encryption;

namespace Skep.ClassicTests.Docker;

/// <summary>W4: what an encrypted network is made of, and its wire from before its first packet on.</summary>
internal static class OverlayWalk
{
    public static async Task RunAsync(LabMachine lab, PortTables tables)
    {
        var wire = await Wire.OpenAsync(lab, "secret");
        await lab.OnAsync(1, "docker network create --opt encrypted --subnet 100.0.0.0/24 -d overlay net1");
        // The walkthrough's redis, a program that asks it, and a front that asks that: each on a machine of its own.
        const string Service = "--network net1 --constraint node.hostname==node";
        await lab.CreateAsync($"--name redis {Service}1 node-test");
        await lab.CreateAsync($"--name node {Service}2 -e NEXT=redis:3000/cgi-bin/whoami?{Wire.Marker} node-test");
        await lab.CreateAsync($"--name nginx {Service}3 -e NEXT=node:3000/cgi-bin/next?{Wire.Marker} -p 1080:3000 node-test");
        var chain = new List<string>();
        foreach (var (node, service) in new[] { (1, "redis"), (2, "node"), (3, "nginx") })
        {
            await lab.RunningAsync(service, 1);
            chain.Insert(0, await lab.ContainerAsync(node, service));
        }

        var answer = $"^{string.Join(" after ", chain)}\n$";
        await lab.UntilAsync(1, "curl -fsm 20 http://localhost:1080/cgi-bin/next", answer);
        for (var node = 2; node <= 3; node++)
        {
            Assert.Matches(answer, await lab.OnAsync(node, "curl -fsm 20 http://localhost:1080/cgi-bin/next"));
        }

        await tables.ShowAsync(2, 1080);
        await PartsAsync(lab, chain[^1]);
        Assert.Contains("block", await lab.OnAsync(1, "ip xfrm policy"), StringComparison.Ordinal);
        var (list, refusal) = tables.Plane is Plane.Classic ? ("iptables -S", "--pol none") : ("nft list table ip skep", "ipsec missing");
        Assert.Equal(2, Regex.Count(await lab.OnAsync(1, list), refusal));
        Assert.Matches(@"net1 +node[23]", await lab.OnAsync(1, $"{LabMachine.Skep} net status"));
        var seen = await wire.CloseAsync();
        Assert.True(seen is { Sealed: > 10, Tunnels: 0, Marked: 0 }, seen.ToString());
        await lab.OnAsync(1, "docker service rm nginx node redis");
    }

    /// <summary>The networks, the namespaces, and redis' two cards with their far ends.</summary>
    private static async Task PartsAsync(LabMachine lab, string redis)
    {
        var names = await lab.OnAsync(1, "docker network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'");
        foreach (var row in new[] { "bridge bridge local", "docker_gwbridge bridge local", "host host local", "none null local", "ingress overlay swarm", "net1 overlay swarm" })
        {
            Assert.Contains(row, names.Split('\n'));
        }

        var ids = await lab.OnAsync(1, "docker network inspect ingress net1 -f '{{.Id}}'");
        var spaces = await lab.OnAsync(1, "ls /var/run/docker/netns");
        Assert.Contains("ingress_sbox\n", spaces, StringComparison.Ordinal);
        Assert.Matches($@"(?m)^1-{ids[..10]}$", spaces);
        var space = Regex.Match(spaces, $@"(?m)^2-{ids.Split('\n')[1][..10]}$").Value;
        Assert.NotEqual("", space);

        var inside = await lab.OnAsync(1, $"docker exec {redis} ip a");
        var eth0 = Regex.Match(inside, @"(\d+): eth0@[^\n]* mtu 1416 [^\n]*\n +link/ether 02:42:64:00:00:(\w\w)[^\n]*\n +inet 100\.0\.0\.(\d+)/24 ");
        Assert.True(eth0.Success, inside);
        Assert.Equal(int.Parse(eth0.Groups[3].Value, System.Globalization.CultureInfo.InvariantCulture), Convert.ToInt32(eth0.Groups[2].Value, 16));
        var eth1 = Regex.Match(inside, @"(\d+): eth1@[^\n]* mtu 1500 [^\n]*\n[^\n]*\n +inet 172\.\d+\.0\.\d+/16 ");
        Assert.True(eth1.Success, inside);

        var links = await lab.OnAsync(1, $"nsenter --net=/var/run/docker/netns/{space} ip -o link");
        Assert.Matches(@"\d+: br0: ", links);
        Assert.Matches(@"\d+: vxlan\w*(@\w+)?: .*master br0", links);
        Assert.Matches($@"\d+: veth\w+@if{eth0.Groups[1].Value}: .*master br0", links);
        Assert.Matches($@"\d+: veth\w+@if{eth1.Groups[1].Value}: .*master docker_gwbridge", await lab.OnAsync(1, "ip -o link"));
    }
}
