using System.Net.Sockets;
using System.Text;

namespace Skep.EndToEndTests.Swarm;

/// <summary>Daemons, children, machines and cables die and come back; what runs goes on, and what is wanted comes true.</summary>
[Collection(SharedSwarm.Name)]
public sealed class FaultTests(SwarmLab lab) : IAsyncLifetime
{
    /// <summary>A TCP server that repeats what it hears, for flows that live long.</summary>
    private static readonly string[] s_echo = [SwarmLab.Image, "nc", "-ll", "-p", "7", "-e", "cat"];

    public ValueTask InitializeAsync() => default;

    /// <summary>A test that failed half way leaves its machines as it was; the next one finds them on.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var node in await lab.NotUpAsync())
        {
            await lab.LabAsync("start", $"{node}");
        }

        await lab.ReadyAsync(3);
    }

    [Fact]
    public async Task ADaemonsDeathChangesNothingForItsTasksAndFlows()
    {
        await lab.DockerAsync(["service", "create", "-d", "--stop-grace-period", "1s", "--name", "echo", "-p", "7007:7", "--constraint", "node.hostname==node2", .. s_echo]);
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "ticks", "--mode", "global", SwarmLab.Image, "sh", "-c", "i=0; while sleep 0.2; do i=$((i+1)); echo tick $i; done");
        try
        {
            var before = (await lab.RunningAsync("echo", 1)).Concat(await lab.RunningAsync("ticks", 3)).ToList();
            using var flow = await OpenAsync(await lab.AddressAsync(3), 7007);
            await EchoesAsync(flow, "before");

            foreach (var node in new[] { 2, 3, 1 })
            {
                await lab.LabAsync("kill", $"{node}", "--daemon-only");
                await EchoesAsync(flow, $"while the daemon of node{node} is dead");
                await lab.LabAsync("start", $"{node}");
                await lab.ReadyAsync(3);
                await EchoesAsync(flow, $"after the daemon of node{node} came back");
            }

            var after = (await lab.RunningAsync("echo", 1)).Concat(await lab.RunningAsync("ticks", 3)).ToList();
            Assert.Equal(before.OrderBy(task => task.Id), after.OrderBy(task => task.Id));
            foreach (var task in after.Skip(1))
            {
                await LogGrowsAsync(task);
            }
        }
        finally
        {
            await DisposeAsync();
            await lab.RemoveAsync("echo", "ticks");
        }
    }

    [Fact]
    public async Task ContainerdAndEtcdMayBeKilledAtAnyTime()
    {
        await lab.DockerAsync(["service", "create", "-d", "--stop-grace-period", "1s", "--name", "echo", "-p", "7007:7", "--constraint", "node.hostname==node2", .. s_echo]);
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "many", "--replicas", "2", SwarmLab.Image);
        try
        {
            var before = await lab.RunningAsync("echo", 1);
            using var flow = await OpenAsync(await lab.AddressAsync(3), 7007);
            var scaling = lab.DockerAsync("service", "scale", "-d", "many=12");
            await KillAsync(2, "containerd");
            // What is told to a manager whose store is dead is refused; what it has taken is done.
            await scaling;
            await KillAsync(1, "etcd");
            await lab.RunningAsync("many", 12, 40);
            await EchoesAsync(flow, "after containerd and etcd died");

            Assert.Equal(before, await lab.RunningAsync("echo", 1));
            await OnlyWantedContainersAsync("many", 12);
        }
        finally
        {
            await lab.RemoveAsync("echo", "many");
        }
    }

    [Fact]
    public async Task AManagersDeathInTheMiddleOfScalingLeavesNoDuplicates()
    {
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "many", "--replicas", "2", SwarmLab.Image);
        try
        {
            await lab.DockerAsync("service", "scale", "-d", "many=24");
            await lab.LabAsync("kill", "1", "--daemon-only");
            await lab.LabAsync("start", "1");
            var tasks = await lab.RunningAsync("many", 24, 60);

            Assert.Equal(Enumerable.Range(1, 24), tasks.Select(task => task.Slot).Order());
            await OnlyWantedContainersAsync("many", 24);
        }
        finally
        {
            await DisposeAsync();
            await lab.RemoveAsync("many");
        }
    }

    [Fact]
    public async Task AMachineWithoutPowerHasItsTasksElsewhereAndReturnsClean()
    {
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "moving", "--replicas", "3", "-p", "5003:3000", SwarmLab.Image);
        try
        {
            await lab.RunningAsync("moving", 3);
            await lab.LabAsync("kill", "3");
            await lab.UntilAsync("node3 is down", 30, () => lab.DockerAsync("node", "ls", "--format", "{{.Hostname}} {{.Status}}"), seen => seen.Contains("node3 Down", StringComparison.Ordinal));
            await lab.UntilAsync("three tasks on the others", 30, async () => (await lab.TasksAsync("moving")).Count(task => task.Node != 3) == 3);
            Assert.DoesNotContain("failed", await lab.AskAsync(2, 5003, 6));

            await lab.LabAsync("start", "3");
            await lab.ReadyAsync(3);

            // An ended container stays for its log, as its task does in the history; none may run beside its successor.
            await lab.UntilAsync("no old container runs on node3", 30, () => lab.OnAsync(3, "docker", "ps", "-q"), seen => seen.Length == 0);
            await lab.RunningAsync("moving", 3);
            await lab.UntilAsync("node3's mesh", 15, async () => await lab.AskAsync(3, 5003) != "");
        }
        finally
        {
            await DisposeAsync();
            await lab.RemoveAsync("moving");
        }
    }

    [Fact]
    public async Task ACutCableMovesTasksAndHealingEndsTheOldOnes()
    {
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "cut", "--replicas", "3", "-p", "5004:3000", SwarmLab.Image);
        try
        {
            await lab.RunningAsync("cut", 3);
            await lab.LabAsync("cut", "2");
            await lab.UntilAsync("node2 is down", 30, () => lab.DockerAsync("node", "ls", "--format", "{{.Hostname}} {{.Status}}"), seen => seen.Contains("node2 Down", StringComparison.Ordinal));
            await lab.UntilAsync("three tasks on the others", 30, async () => (await lab.TasksAsync("cut")).Count(task => task.Node != 2) == 3);
            Assert.DoesNotContain("failed", await lab.AskAsync(1, 5004, 6));

            await lab.LabAsync("heal", "2");
            await lab.ReadyAsync(3);
            await lab.UntilAsync("the old task is gone", 30, () => lab.OnAsync(2, "docker", "ps", "-q"), seen => seen.Length == 0);
            await lab.UntilAsync("node2's mesh", 15, async () => await lab.AskAsync(2, 5004) != "");
        }
        finally
        {
            await lab.LabAsync("heal", "2");
            await lab.RemoveAsync("cut");
        }
    }

    [Fact]
    public async Task AManagerWithoutPowerComesBackWithTheWholeState()
    {
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "kept", "--replicas", "3", "--label", "a=b", "-p", "5005:3000", SwarmLab.Image);
        try
        {
            var spec = await lab.DockerAsync("service", "inspect", "kept", "--format", "{{json .Spec}} {{json .Endpoint}}");
            await lab.RunningAsync("kept", 3);
            await lab.UntilAsync("the mesh answers", 10, async () => await lab.AskAsync(2, 5005) != "");
            await lab.LabAsync("kill", "1");
            // No manager tells the others that one of three tasks died with its machine; the two that live go on serving, and soon all is theirs.
            Assert.InRange((await lab.AskAsync(2, 5005, 3)).Count(answer => answer != "failed"), 2, 3);
            await lab.UntilAsync("the dead one is left out", 10, async () => !(await lab.AskAsync(2, 5005, 3)).Contains("failed"));
            await lab.LabAsync("start", "1");
            await lab.ReadyAsync(3);

            Assert.Equal(spec, await lab.DockerAsync("service", "inspect", "kept", "--format", "{{json .Spec}} {{json .Endpoint}}"));
            await lab.RunningAsync("kept", 3, 40);
            await OnlyWantedContainersAsync("kept", 3);
        }
        finally
        {
            await DisposeAsync();
            await lab.RemoveAsync("kept");
        }
    }

    [Fact]
    public async Task WhatIsBrokenByHandHealsUnderTraffic()
    {
        await lab.DockerAsync("network", "create", "-d", "overlay", "heal");
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "healed", "--replicas", "3", "-p", "5006:3000", "--network", "heal", SwarmLab.Image);
        try
        {
            var tasks = await lab.RunningAsync("healed", 3);
            await WorksAsync("at first");
            const string Enter = "nsenter --net=/var/run/docker/netns/";
            await lab.ShellAsync(2, "nft flush ruleset");
            await WorksAsync("after nft flush ruleset");
            await lab.ShellAsync(2, Enter + "ingress_sbox nft flush ruleset");
            await WorksAsync("after nft flush ruleset in ingress_sbox");
            await lab.ShellAsync(2, $"for s in /var/run/docker/netns/1-*; do for d in $(nsenter --net=$s ip -o link | grep -o 'vxlan[^:@]*' | sort -u); do nsenter --net=$s bridge fdb flush dev $d; done; done");
            await WorksAsync("after the FDB was flushed");
            await lab.ShellAsync(2, Enter + "ingress_sbox ip neigh flush all nud permanent; " + Enter + "ingress_sbox ip neigh flush all");
            await WorksAsync("after the neighbours were deleted");

            Task<string> WorksAsync(string when) => lab.UntilAsync(
                when, 15,
                async () => string.Join(' ', await lab.AskAsync(2, 5006, 6)),
                seen => tasks.All(task => seen.Contains(task.Container[..12], StringComparison.Ordinal)) && !seen.Contains("failed", StringComparison.Ordinal));
        }
        finally
        {
            await lab.RemoveAsync("healed");
            await lab.UntilAsync("heal goes", 10, async () => (await lab.TryAsync(1, ["docker", "network", "rm", "heal"])).Status == 0);
        }
    }

    /// <summary>Every container on the machines is one of the service's, and there are no more than wanted.</summary>
    private Task<string> OnlyWantedContainersAsync(string service, int count) => lab.UntilAsync(
        $"{count} containers of {service} and no more", 20,
        async () => string.Join('\n', await Task.WhenAll(Enumerable.Range(1, 3).Select(node => lab.OnAsync(node, "docker", "ps", "--format", "{{.Names}}")))),
        seen => seen.Split('\n').Count(name => name.StartsWith(service + ".", StringComparison.Ordinal)) == count);

    /// <summary>Kills the daemon's child of that name, and waits until another runs.</summary>
    private async Task KillAsync(int node, string program)
    {
        var old = await lab.ShellAsync(node, $"pgrep -ox {program}");
        await lab.ShellAsync(node, $"kill -9 {old}");
        await lab.UntilAsync(
            $"{program} runs again", 20, async () => (await lab.TryAsync(node, ["pgrep", "-ox", program])).Output.Trim(), seen => seen.Length > 0 && seen != old);
    }

    private async Task LogGrowsAsync(RunningTask task)
    {
        var before = await LastLineAsync();
        await lab.UntilAsync($"the log of {task} goes on", 5, LastLineAsync, seen => seen.Length > 0 && seen != before);

        async Task<string> LastLineAsync() => await lab.OnAsync(task.Node, "docker", "logs", "--tail", "1", task.Container);
    }

    private async Task<TcpClient> OpenAsync(string address, int port)
    {
        TcpClient? flow = null;
        await lab.UntilAsync(
            $"{address}:{port} opens", 10,
            async () =>
            {
                var attempt = new TcpClient();
                try
                {
                    await attempt.ConnectAsync(address, port, TestContext.Current.CancellationToken);
                    flow = attempt;
                    return "";
                }
                catch (SocketException refused)
                {
                    attempt.Dispose();
                    return refused.Message;
                }
            },
            seen => seen.Length == 0);
        return flow!;
    }

    private static async Task EchoesAsync(TcpClient flow, string words)
    {
        var bytes = Encoding.UTF8.GetBytes(words);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            await flow.GetStream().WriteAsync(bytes, limit.Token);
            var answer = new byte[bytes.Length];
            await flow.GetStream().ReadExactlyAsync(answer, limit.Token);
            Assert.Equal(words, Encoding.UTF8.GetString(answer));
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            Assert.Fail($"The flow died {words}: {gone.Message}");
        }
    }
}
