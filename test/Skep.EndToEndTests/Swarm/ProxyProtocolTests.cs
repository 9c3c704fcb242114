using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.EndToEndTests.Lab;

namespace Skep.EndToEndTests.Swarm;

/// <summary>A published port with PROXY headers, by the docker command line: a task that sends back whatever it reads.</summary>
[Collection(SharedSwarm.Name)]
public sealed class ProxyProtocolTests(SwarmLab lab)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ATaskIsToldItsClientByALabelAndFlowsOutliveTheDaemonThatWroteIt()
    {
        await lab.DockerAsync(
            "service", "create", "-d", "--stop-grace-period", "1s", "--name", "told", "-p", "8097:3000", "--label", "skep.publish.8097.proxy-protocol=v2",
            SwarmLab.Image, "busybox", "nc", "-ll", "-p", "3000", "-e", "cat");
        try
        {
            await lab.RunningAsync("told", 1);
            Assert.Equal("map[skep.publish.8097.proxy-protocol:v2]", await lab.DockerAsync("service", "inspect", "--format", "{{.Spec.Labels}}", "told"));
            Assert.Contains(
                "label skep.publish.8098.proxy-protocol is \"v2\"; it covers port 8098/udp, and only TCP has connections",
                await lab.RefusedAsync(1, "service", "update", "-d", "--publish-add", "8098:53/udp", "--label-add", "skep.publish.8098.proxy-protocol=v2", "told"),
                StringComparison.Ordinal);

            // Every node is an entry, and the task sees the client and the node that was asked.
            foreach (var node in new[] { 1, 2, 3 })
            {
                using var client = await AskAsync(node);
                Assert.Equal(HeaderOf(client), Convert.ToHexString(await ReadAsync(client, 28)));
            }

            using var kept = await AskAsync(2);
            Assert.Equal(HeaderOf(kept), Convert.ToHexString(await ReadAsync(kept, 28)));
            await EchoAsync(kept, "before");
            await lab.UntilAsync("node2 tells of its relay and its one flow", 10, () => StatusAsync(2), seen => seen.Contains("PORTS   LISTENS   FLOWS\n1       yes       1", StringComparison.Ordinal));

            await lab.LabAsync("kill", "2", "--daemon-only");
            await EchoAsync(kept, "without a daemon");
            using (var fresh = await AskAsync(2))
            {
                Assert.Equal(HeaderOf(fresh), Convert.ToHexString(await ReadAsync(fresh, 28)));
            }

            await lab.LabAsync("start", "2");
            await lab.ReadyAsync(3);
            await EchoAsync(kept, "with the next one");

            // The label's end is for new flows; the relay stays for the old one, and goes with it.
            await lab.DockerAsync("service", "update", "-d", "--label-rm", "skep.publish.8097.proxy-protocol", "told");
            await lab.UntilAsync("new flows have no header", 20, async () =>
            {
                using var plain = await AskAsync(2);
                await plain.SendAsync(Encoding.ASCII.GetBytes("hello"), Stop);
                return Encoding.ASCII.GetString(await ReadAsync(plain, 5)) == "hello";
            });
            await EchoAsync(kept, "after the label");
            kept.Close();
            await lab.UntilAsync("the relay has ended", 20, () => StatusAsync(2), seen => !seen.Contains("Relay for PROXY headers", StringComparison.Ordinal));
        }
        finally
        {
            await lab.RemoveAsync("told");
        }
    }

    private Task<string> StatusAsync(int node) => lab.OnAsync(node, Path.Combine(Door.Root, "skep"), "net", "status");

    private async Task<Socket> AskAsync(int node)
    {
        var address = await lab.AddressAsync(node);
        Socket? client = null;
        await lab.UntilAsync($"node{node} answers", 10, async () =>
        {
            client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await client.ConnectAsync(IPAddress.Parse(address), 8097, Stop);
                return true;
            }
            catch (SocketException)
            {
                client.Dispose();
                return false;
            }
        });
        return client!;
    }

    /// <summary>As haproxy's specification has it, in hexadecimal.</summary>
    private static string HeaderOf(Socket client)
    {
        var (from, to) = ((IPEndPoint)client.LocalEndPoint!, (IPEndPoint)client.RemoteEndPoint!);
        return "0D0A0D0A000D0A515549540A2111000C" + Convert.ToHexString(from.Address.GetAddressBytes()) + Convert.ToHexString(to.Address.GetAddressBytes()) + $"{from.Port:X4}{to.Port:X4}";
    }

    private static async Task EchoAsync(Socket client, string text)
    {
        await client.SendAsync(Encoding.ASCII.GetBytes(text), Stop);
        Assert.Equal(text, Encoding.ASCII.GetString(await ReadAsync(client, text.Length)));
    }

    private static async Task<byte[]> ReadAsync(Socket client, int length)
    {
        var buffer = new byte[length];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromSeconds(10));
        for (var read = 0; read < length;)
        {
            var more = await client.ReceiveAsync(buffer.AsMemory(read), SocketFlags.None, patience.Token);
            read += more > 0 ? more : throw new EndOfStreamException($"ended after {read} of {length} bytes");
        }

        return buffer;
    }
}
