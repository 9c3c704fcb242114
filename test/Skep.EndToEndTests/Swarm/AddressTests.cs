namespace Skep.EndToEndTests.Swarm;

/// <summary>Addresses that are not to be had: told at once, with numbers, and with the names of the nodes that mean something else by them.</summary>
[Collection(SharedSwarm.Name)]
public sealed class AddressTests(SwarmLab lab)
{
    private const string NetworkFull = "network tiny: 5 of 5 IPv4 addresses in use: 3 tasks, 2 services";

    [Fact]
    public async Task AFullNetworkSaysInServicePsWhoHasItsAddressesAndWhatWaitsGoesOn()
    {
        await lab.DockerAsync("network", "create", "-d", "overlay", "--subnet", "10.124.0.0/29", "tiny");
        try
        {
            Assert.Contains(
                "network tiny has 5 IPv4 addresses; the service needs 6 (5 tasks and its virtual address)",
                await lab.RefusedAsync(1, "service", "create", "-d", "--name", "large", "--replicas", "5", "--network", "tiny", SwarmLab.Image), StringComparison.Ordinal);
            await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "many", "--replicas", "3", "--network", "tiny", SwarmLab.Image);
            await lab.RunningAsync("many", 3);
            await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "late", "--network", "tiny", SwarmLab.Image);
            await lab.UntilAsync(
                "the task that waits says why", 5, () => lab.DockerAsync("service", "ps", "--no-trunc", "--format", "{{.CurrentState}} {{.Error}}", "late"),
                seen => seen.Length == 0 || seen.StartsWith("New ", StringComparison.Ordinal) || seen.StartsWith("Pending ", StringComparison.Ordinal) ? seen.Contains(NetworkFull, StringComparison.Ordinal) : throw Wrong(seen));

            // It waits and does not fail; with an address that comes free it runs.
            await lab.DockerAsync("service", "scale", "-d", "many=2");
            var late = Assert.Single(await lab.RunningAsync("late", 1));
            var taken = (await lab.InspectAsync(["inspect", "--type", "task", late.Id, .. (await lab.RunningAsync("many", 2)).Select(task => task.Id)]))
                .Select(task => (string)task!["NetworksAttachments"]![0]!["Addresses"]![0]!).ToList();
            Assert.Equal(3, taken.Distinct().Count());
            Assert.DoesNotContain(await lab.VipAsync("late", "tiny") + "/29", taken);
        }
        finally
        {
            await lab.TryAsync(1, ["docker", "service", "rm", "large"]);
            await lab.RemoveAsync("many", "late");
            await GoesAsync("tiny");
        }

        static InvalidOperationException Wrong(string seen) => new($"a task without an address is {seen}");
    }

    [Fact]
    public async Task WhatANodeReachesOrAsksOtherwiseIsRefusedWithItsNameAndToldWhenItComesLater()
    {
        await lab.DockerAsync("network", "create", "-d", "overlay", "--subnet", "10.125.7.0/24", "early");
        await lab.ShellAsync(3, "ip route add 10.125.0.0/16 dev eth0");
        await lab.ShellAsync(2, "echo nameserver 10.126.0.53 >/run/other-servers; mount --bind /run/other-servers /etc/resolv.conf");
        try
        {
            await RefusedAsync("10.125.9.0/24", "it overlaps route 10.125.0.0/16 dev eth0 of node node3;");
            await RefusedAsync("10.126.0.0/24", "it overlaps name server 10.126.0.53 of node node2;");
            await lab.DockerAsync("network", "create", "-d", "overlay", "--subnet", "10.126.1.0/24", "beside");
            await lab.DockerAsync("network", "create", "-d", "overlay", "--subnet", "10.126.0.0/24", "--opt", "skep.overlap=allow", "knowing");

            await lab.UntilAsync(
                "the network that was there first says so", 15, () => lab.DockerAsync("network", "inspect", "early", "--format", "{{json .Options}}"),
                seen => seen.Contains("route 10.125.0.0/16 dev eth0 of node node3", StringComparison.Ordinal));
            await lab.UntilAsync(
                "and so does the node", 15, () => lab.DockerAsync("node", "inspect", "node3", "--format", "{{.Status.Message}}"),
                seen => seen.Contains("early", StringComparison.Ordinal) && seen.Contains("10.125.0.0/16", StringComparison.Ordinal));

            await lab.ShellAsync(3, "ip route del 10.125.0.0/16 dev eth0");
            await lab.UntilAsync("without the route the subnet is free", 15, async () => (await lab.TryAsync(1, ["docker", "network", "create", "-d", "overlay", "--subnet", "10.125.9.0/24", "later"])).Status == 0);
        }
        finally
        {
            await lab.TryAsync(3, ["ip", "route", "del", "10.125.0.0/16", "dev", "eth0"]);
            await lab.ShellAsync(2, "umount /etc/resolv.conf");
            foreach (var network in (await lab.DockerAsync("network", "ls", "--format", "{{.Name}}")).Split('\n').Intersect(["early", "beside", "knowing", "later", "wished"]))
            {
                await GoesAsync(network);
            }
        }

        // Nodes look at their own routes every five seconds; until then such a subnet is made, and unmade here.
        Task<string> RefusedAsync(string subnet, string reason) => lab.UntilAsync(
            $"{subnet} is refused", 20,
            async () =>
            {
                var (status, output, error) = await lab.TryAsync(1, ["docker", "network", "create", "-d", "overlay", "--subnet", subnet, "wished"]);
                if (status == 0)
                {
                    await GoesAsync("wished");
                }

                return output + error;
            },
            seen => seen.Contains(reason, StringComparison.Ordinal));
    }

    private Task<string> GoesAsync(string network) =>
        lab.UntilAsync($"{network} goes", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", network])).Status == 0);
}
