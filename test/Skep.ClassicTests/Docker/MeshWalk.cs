using System.Text.RegularExpressions;

namespace Skep.ClassicTests.Docker;

/// <summary>W3: the mesh from inside and at the edge, in a network in the clear, whose wire is the control for the encrypted one; and a machine that dies (W1, step 6).</summary>
internal static class MeshWalk
{
    public static async Task RunAsync(LabMachine lab, PortTables tables)
    {
        var wire = await Wire.OpenAsync(lab, "clear");
        await lab.OnAsync(1, "docker network create -d overlay demo");
        await lab.CreateAsync("--name whoami -p 8000:3000 --network demo --constraint node.hostname!=node3 node-test");
        await lab.CreateAsync("--name client --network demo --constraint node.hostname==node3 node-test sleep 100000");
        await lab.RunningAsync("whoami", 1);
        await lab.RunningAsync("client", 1);
        Assert.Matches(@"whoami +replicated +1/1 +node-test\S* +\*:8000->3000/tcp", await lab.OnAsync(1, "docker service ls"));
        var first = (await lab.OnAsync(1, "docker service ps whoami --filter desired-state=running --format '{{.Node}}'")).Trim()[^1] - '0';
        var host = await lab.ContainerAsync(first, "whoami");
        await lab.UntilAsync(first, "curl -fsm 20 http://127.0.0.1:8000/cgi-bin/whoami", $"^{host}\n$");

        var client = await lab.ContainerAsync(3, "client");
        var address = await VirtualAddressAsync(lab, client);
        await lab.OnAsync(1, "docker service scale -d whoami=2");
        await lab.RunningAsync("whoami", 2);
        await lab.UntilAsync(3, $"docker exec {client} nslookup tasks.whoami", @"(?s)Address: 10\.0\.1\.\d+.*Address: 10\.0\.1\.\d+");
        Assert.Equal(address, await VirtualAddressAsync(lab, client));
        Assert.Equal([$"Address: {address}"], Regex.Matches(await lab.OnAsync(3, $"docker exec {client} nslookup whoami || true"), @"Address: 10\S+").Select(match => match.Value));
        await lab.InTurnAsync(3, $"timeout 20 wget -qO- http://whoami:3000/cgi-bin/whoami?{Wire.Marker}", client);
        await lab.InTurnAsync(3, "curl -fsm 20 http://127.0.0.1:8000/cgi-bin/whoami");
        var seen = await wire.CloseAsync();
        Assert.True(seen.Marked > 0, seen.ToString());

        await StackAsync(lab);
        // One line for each published port.
        await tables.ShowAsync(3, 8000);
        await tables.ShowAsync(3, 8002);
        await DeathAsync(lab, tables);
    }

    /// <summary>ping says it, and no container has it.</summary>
    private static async Task<string> VirtualAddressAsync(LabMachine lab, string client) =>
        Regex.Match(await lab.OnAsync(3, $"docker exec {client} ping -c 1 whoami"), @"bytes from (10\.0\.1\.\d+):").Groups[1].Value;

    /// <summary>Two services of one application, from a compose file, on different machines.</summary>
    private static async Task StackAsync(LabMachine lab)
    {
        await lab.OnAsync(
            1,
            """
            cat >/tmp/shop.yml <<END
            version: "3.8"
            services:
              wordpress:
                image: node-test
                environment: [NEXT=mysql:3000/cgi-bin/whoami]
                ports: ["8002:3000"]
                deploy: {placement: {constraints: [node.hostname==node1]}}
              mysql:
                image: node-test
                deploy: {placement: {constraints: [node.hostname==node3]}}
            END
            docker stack deploy -d --resolve-image never -c /tmp/shop.yml shop
            """);
        await lab.RunningAsync("shop_mysql", 1);
        await lab.RunningAsync("shop_wordpress", 1);
        await lab.UntilAsync(2, "curl -fsm 20 http://localhost:8002/cgi-bin/next", $"^{await lab.ContainerAsync(1, "shop_wordpress")} after {await lab.ContainerAsync(3, "shop_mysql")}\n$");
    }

    /// <summary>node2 loses its power: its task comes up on node1, and the port answers from the two that are there.</summary>
    private static async Task DeathAsync(LabMachine lab, PortTables tables)
    {
        await lab.KillAsync(2);
        await lab.UntilAsync(1, "docker node ls", @"node2 +Down ");
        await lab.UntilAsync(1, "docker service ps whoami --filter desired-state=running --format '{{.Node}} {{.CurrentState}}'", @"^(node1 Running [^\n]*\n){2}$");
        var backends = (await lab.OnAsync(1, "docker inspect $(docker ps -q --filter label=com.docker.swarm.service.name=whoami) -f '{{.NetworkSettings.Networks.ingress.IPAddress}}'"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await lab.InTurnAsync(3, "curl -fsm 20 http://127.0.0.1:8000/cgi-bin/whoami");
        await tables.ShowAsync(3, 8000, backends);
    }
}
