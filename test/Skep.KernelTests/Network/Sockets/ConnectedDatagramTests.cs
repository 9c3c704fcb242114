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
        var group = Directory.CreateDirectory(Path.Combine(machine.Group, TestNode.ContainerOf("red-client"))).FullName;
        using (var client = Start(machine, group, vip))
        {
            Assert.Equal("red-a", await AskAsync(client, machine));
            await machine.ApplyAsync(SocketMachine.Plan(2, new Dictionary<string, EndpointState?> { ["a"] = EndpointState.Draining }));
            var next = await AskAsync(client, machine);
            Assert.Contains(next, (string[])["red-b", "red-c"]);
            Assert.Equal(next, await AskAsync(client, machine));
            await machine.ApplyAsync(SocketMachine.Plan(3, new Dictionary<string, EndpointState?> { ["a"] = null, [next![4..]] = null }));
            Assert.Equal(next == "red-b" ? "red-c" : "red-b", await AskAsync(client, machine));
            client.StandardInput.Close();
            await client.WaitForExitAsync(machine.Limit);
        }

        Directory.Delete(group);
    }

    // bash's /dev/udp is a socket that is connected once; each line makes it send a datagram and print the answer.
    private static Process Start(SocketMachine machine, string group, string vip)
    {
        var script = $"exec 3<>/dev/udp/{vip}/{SocketMachine.Port}; while read -r line; do printf '?' >&3; dd bs=100 count=1 status=none <&3; echo; done";
        var start = new ProcessStartInfo("sh") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])["-c", "echo $$ >\"$0/cgroup.procs\" && exec nsenter --net=\"$1\" timeout 30 bash -c \"$2\"", group, machine.Spaces["red-client"].Origin, script])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private static async Task<string?> AskAsync(Process client, SocketMachine machine)
    {
        await client.StandardInput.WriteLineAsync("ask");
        await client.StandardInput.FlushAsync(machine.Limit);
        return await client.StandardOutput.ReadLineAsync(machine.Limit);
    }
}
