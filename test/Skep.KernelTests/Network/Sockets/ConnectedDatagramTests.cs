using System.Diagnostics;
using Skep.Model.Plans;

namespace Skep.KernelTests.Network.Sockets;

/// <summary>A program in a container that connected a datagram socket once and goes on to send, whatever becomes of its backend.</summary>
[Collection(Alone.Name)]
public sealed class ConnectedDatagramTests
{
    [Theory]
    [InlineData("10.9.0.2")]
    [InlineData("fd09::2")]
    public async Task It_is_given_another_backend_when_its_own_drains(string vip)
    {
        await using var machine = await SocketMachine.StartAsync();
        await using var client = Client.Start(machine, vip);
        Assert.Equal("red-a", await client.AskAsync());
        await machine.ApplyAsync(SocketMachine.Plan(2, new Dictionary<string, EndpointState?> { ["a"] = EndpointState.Draining }));
        var next = await client.AskAsync();
        Assert.Contains(next, (string[])["red-b", "red-c"]);
        Assert.Equal(next, await client.AskAsync());
        await machine.ApplyAsync(SocketMachine.Plan(3, new Dictionary<string, EndpointState?> { ["a"] = null, [next![4..]] = null }));
        Assert.Equal(next == "red-b" ? "red-c" : "red-b", await client.AskAsync());
    }

    [Fact]
    public async Task It_is_led_away_from_a_backend_that_refuses_its_port_and_stays_with_the_other_when_that_one_is_back()
    {
        await using var machine = await SocketMachine.StartAsync();
        await machine.ApplyAsync(SocketMachine.Of(SocketMachine.Red, 2));
        await using var client = Client.Start(machine, "10.9.0.2");
        Assert.Equal("red-a", await client.AskAsync());
        Array.ForEach(machine.Servers["red-a"], s => s.Dispose());
        Assert.Equal("", await client.AskAsync());
        await machine.Node.Log.LineAsync("of service web refuses", machine.Limit);
        await machine.Node.Log.LineAsync("to another backend", machine.Limit);
        var next = await client.AskAsync();
        Assert.Contains(next, (string[])["red-b", "red-c"]);

        machine.Serve(machine.Spaces["red-a"], "red-a");
        machine.Node.Log.Clear();
        await SocketBalancingTests.UntilAsync(machine, () => !machine.Map("skep_services").Entries().Chunk(28).Any(e => e[6] == 17));
        await machine.ApplyAsync(SocketMachine.Of(SocketMachine.Red, 3));
        Assert.DoesNotContain(machine.Node.Log.Lines, l => l.Contains("to another backend", StringComparison.Ordinal));
        Assert.Equal(next, await client.AskAsync());
    }

    [Fact]
    public async Task It_is_given_another_backend_when_its_own_went_while_there_was_no_daemon()
    {
        await using var machine = await SocketMachine.StartAsync();
        await using var client = Client.Start(machine, "10.9.0.2");
        Assert.Equal("red-a", await client.AskAsync());
        await machine.Node.StopAsync();
        machine.Node.Start();
        await machine.ApplyAsync(SocketMachine.Plan(2, new Dictionary<string, EndpointState?> { ["a"] = null }));
        Assert.Contains(await client.AskAsync(), (string[])["red-b", "red-c"]);
    }

    private sealed class Client(SocketMachine machine, Process process, string group) : IAsyncDisposable
    {
        // bash's /dev/udp is a socket that is connected once; each line makes it send a datagram and print the answer.
        public static Client Start(SocketMachine machine, string vip)
        {
            var group = Directory.CreateDirectory(Path.Combine(machine.Group, TestNode.ContainerOf("red-client"))).FullName;
            var script = $"exec 3<>/dev/udp/{vip}/{SocketMachine.Port}; while read -r line; do printf '?' >&3; dd bs=100 count=1 status=none <&3 2>&-; echo; done";
            var start = new ProcessStartInfo("sh") { RedirectStandardInput = true, RedirectStandardOutput = true };
            foreach (var argument in (string[])["-c", "echo $$ >\"$0/cgroup.procs\" && exec nsenter --net=\"$1\" timeout 30 bash -c \"$2\"", group, machine.Spaces["red-client"].Origin, script])
            {
                start.ArgumentList.Add(argument);
            }

            return new Client(machine, Process.Start(start)!, group);
        }

        /// <summary>Who answers; empty when the datagram is refused.</summary>
        public async Task<string?> AskAsync()
        {
            await process.StandardInput.WriteLineAsync("ask");
            await process.StandardInput.FlushAsync(machine.Limit);
            return await process.StandardOutput.ReadLineAsync(machine.Limit);
        }

        public async ValueTask DisposeAsync()
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync(machine.Limit);
            process.Dispose();
            Directory.Delete(group);
        }
    }
}
