using System.Text.RegularExpressions;

namespace Skep.ClassicTests.Docker;

/// <summary>W1: a swarm, a service and its load balancing.</summary>
internal static class SwarmWalk
{
    private const string Tasks = "docker service ps hello-a --filter desired-state=running --format '{{.Node}}'";

    public static async Task RunAsync(LabMachine lab, PortTables tables)
    {
        await FormAsync(lab);
        await lab.CreateAsync("--name hello-a --replicas 2 -p 5000:3000 --constraint node.hostname!=node3 node-test");
        await lab.RunningAsync("hello-a", 2);
        Assert.Matches(@"^(node1\nnode2|node2\nnode1)\n$", await lab.OnAsync(1, Tasks));
        var backends = new[] { await IngressAddressAsync(lab, 1), await IngressAddressAsync(lab, 2) };

        await lab.OnAsync(1, "setsid docker service logs -f hello-a >/run/logs 2>&1 & echo $! >/run/logs.pid");
        await lab.InTurnAsync(3, "curl -fsm 20 http://localhost:5000/cgi-bin/whoami");
        await lab.UntilAsync(1, "cat /run/logs", @"(?s)^(?=.*hello-a\.1\.\w+@node\d +\| \w+ served)(?=.*hello-a\.2\.\w+@node\d +\| \w+ served)");
        await lab.OnAsync(1, "kill $(cat /run/logs.pid)");
        await tables.ShowAsync(3, 5000, backends);

        await lab.OnAsync(1, "docker service scale -d hello-a=3");
        await lab.RunningAsync("hello-a", 3);
        await NeighboursAsync(lab);
        await lab.OnAsync(1, "docker service scale -d hello-a=1");
        await lab.RunningAsync("hello-a", 1);
        await lab.OnAsync(1, "docker service rm hello-a");
    }

    private static async Task FormAsync(LabMachine lab)
    {
        // This machine is slow: a node is not to be thought lost while it works.
        var init = await lab.OnAsync(1, "docker swarm init --dispatcher-heartbeat 30s");
        var join = Regex.Match(init, @"docker swarm join --token SWMTKN-1-\w+-\w+ [0-9.]+:2377").Value;
        Assert.NotEqual("", join);
        for (var node = 2; node <= 3; node++)
        {
            await lab.UntilAsync(node, join, "This node joined a swarm as a worker.");
        }

        Assert.Matches(@"\* +node1 +Ready +Active +Leader ", await lab.UntilAsync(1, "docker node ls", @"(?s)( Ready .*){3}"));
        Assert.Contains("not a swarm manager", await lab.OnAsync(2, "docker node ls", fails: true), StringComparison.Ordinal);
    }

    /// <summary>There is one container of the service on that machine; docker inspect says its address in the ingress network.</summary>
    private static async Task<string> IngressAddressAsync(LabMachine lab, int node)
    {
        var container = await lab.ContainerAsync(node, "hello-a");
        var address = (await lab.OnAsync(node, $"docker inspect {container} -f '{{{{.NetworkSettings.Networks.ingress.IPAddress}}}}'")).Trim();
        Assert.Matches(@"^10\.0\.0\.\d+$", address);
        return address;
    }

    /// <summary>W4, step 6, here because two containers share a machine: docker_gwbridge lets them reach outside, and not one another.</summary>
    private static async Task NeighboursAsync(LabMachine lab)
    {
        var crowded = (await lab.OnAsync(1, Tasks)).Split('\n', StringSplitOptions.RemoveEmptyEntries).GroupBy(name => name).Single(group => group.Count() == 2).Key;
        var node = crowded[^1] - '0';
        var there = await lab.OnAsync(node, "docker network inspect docker_gwbridge -f '{{range $id, $c := .Containers}}{{$id}} {{$c.IPv4Address}}{{println}}{{end}}'");
        var addresses = Regex.Matches(there, @"^[0-9a-f]{12,} (172\.\d+\.\d+\.\d+)/16$", RegexOptions.Multiline).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(2, addresses.Count);
        // A veth for each of them, and one for ingress_sbox.
        Assert.Equal(3, Regex.Count(await lab.OnAsync(node, "ip -o link show master docker_gwbridge"), @"\d+: veth\w*@"));

        var container = await lab.ContainerAsync(node, "hello-a");
        var reached = await lab.OnAsync(
            node, $"docker exec {container} sh -c 'for to in {LabMachine.AddressOf(3)} {string.Join(' ', addresses)}; do ! ping -c 1 -W 2 $to >/dev/null || echo $to; done'");
        var own = Assert.Single(addresses, address => reached.Contains(address, StringComparison.Ordinal));
        Assert.Equal($"{LabMachine.AddressOf(3)}\n{own}\n", reached);
    }
}
