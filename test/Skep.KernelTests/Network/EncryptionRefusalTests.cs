using System.Net;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Xfrm;
using Skep.Model.Errors;
using Skep.Model.Plans;
using Skep.Network;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>What a kernel without ESP does with an encrypted network. One that has it proves more in ClassicTests.</summary>
public sealed class EncryptionRefusalTests
{
    [Fact]
    public async Task A_kernel_without_ESP_refuses_the_container_and_says_what_is_missing()
    {
        using var namespaces = new NamespaceFixture("net");
        var host = namespaces.Create("alone");
        Assert.SkipWhen(XfrmSupport.Missing(host, six: false) is null, "this kernel has ESP");
        var folder = Path.Combine(Path.GetTempPath(), $"network-{Guid.NewGuid():n}");
        Directory.CreateDirectory(Path.Combine(folder, "netns"));
        await using var node = new TestNode("node1", host, "198.18.5.1", folder);
        node.Start();
        await node.ApplyAsync(new NodePlan { Revision = 1 }, TestContext.Current.CancellationToken);

        var refusal = await Assert.ThrowsAsync<ClusterException>(() => node.AttachAsync(
            new SandboxRequest(TestNode.ContainerOf("one"), "one") { Attachments = [new SandboxAttachment(TwoNodes.Demo with { Encrypted = true }, ["10.0.1.5/24"])] },
            TestContext.Current.CancellationToken));

        Assert.Equal(ErrorKind.FailedPrecondition, refusal.Kind);
        Assert.Contains("network demo is encrypted and this node cannot encrypt: its kernel lacks ESP with AES-GCM (CONFIG_INET_ESP,", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("", node.Network.CipherGeneration.Value);
    }

    [Fact]
    public void Clear_text_to_the_port_is_refused_by_policies_alone()
    {
        using var namespaces = new NamespaceFixture("net");
        var (here, there) = (namespaces.Create("here"), namespaces.Create("there"));
        NamespaceFixture.Join(here, "e0", "198.18.6.1/24", there, "e0", "198.18.6.2/24");
        using var table = XfrmTable.Open(here);
        var all = new IPNetwork(IPAddress.Any, 0);
        XfrmPolicy[] refusals =
        [
            new(XfrmDirection.Out, all, all, 4790, 2000),
            new(XfrmDirection.Out, IPNetwork.Parse("198.18.6.1/32"), IPNetwork.Parse("198.18.6.9/32"), 4790, 1000)
            {
                Template = new XfrmTemplate(IPAddress.Parse("198.18.6.1"), IPAddress.Parse("198.18.6.9"), 0x80000007, 7),
            },
            new(XfrmDirection.In, all, all, 4790, 1000) { Template = new XfrmTemplate(IPAddress.Any, IPAddress.Any, 0, 7) },
        ];
        table.SetPolicies(refusals);

        Assert.Equal(refusals.ToHashSet(), table.Policies().ToHashSet());
        Assert.False(Reaches(here, there, "198.18.6.2", 4790));
        Assert.False(Reaches(there, here, "198.18.6.1", 4790));
        Assert.True(Reaches(here, there, "198.18.6.2", 4789));
        Assert.True(Reaches(there, here, "198.18.6.1", 4789));

        table.DeletePolicies(refusals);
        Assert.Empty(table.Policies());
        Assert.True(Reaches(here, there, "198.18.6.2", 4790));
    }

    // Between two namespaces of one kernel a datagram is delivered, or not, while it is sent.
    private static bool Reaches(NetworkNamespace from, NetworkNamespace to, string address, int port)
    {
        using var server = NamespaceFixture.OpenSocket(to, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Any, port));
        using var client = NamespaceFixture.OpenSocket(from, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Udp);
        try
        {
            client.SendTo([1], new IPEndPoint(IPAddress.Parse(address), port));
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }

        return server.Poll(TimeSpan.FromMilliseconds(100), System.Net.Sockets.SelectMode.SelectRead);
    }
}
