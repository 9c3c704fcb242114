using Skep.Model.Errors;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>A node whose disk takes nothing: new containers wait and say why, and the data plane follows the plan all the same.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task A_full_disk_holds_up_new_containers_and_nothing_else()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var node = nodes.First;
        var file = Path.Combine(node.Folder, "network.json.new");
        File.CreateSymbolicLink(file, "/dev/full");
        var late = TwoNodes.Request("late", null, "10.0.1.6/24");
        var refused = await Assert.ThrowsAsync<ClusterException>(() => node.Network.AttachAsync(late, nodes.Limit));
        Assert.Contains("No space left on device", refused.Message, StringComparison.Ordinal);

        // Whoever drains a task waits for this node's word that nothing new goes there.
        await node.ApplyAsync(TwoNodes.Without(TwoNodes.Plan(2), "web1"), nodes.Limit);
        for (var i = 0; i < 4; i++)
        {
            Assert.StartsWith("web2", await nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000), StringComparison.Ordinal);
        }

        node.Log.Clear();
        await NamespaceFixture.RunAsync(node.Host, "nft", "delete", "table", "ip", "skep");
        await node.Log.LineAsync("Repaired", nodes.Limit);
        await node.Network.AuditAsync(nodes.Limit);

        // What is taken away needs no room.
        await node.Network.DetachAsync(TestNode.ContainerOf("web1"), nodes.Limit);
        Assert.False(File.Exists(node.PathOf(TestNode.ContainerOf("web1")[..12])));

        File.Delete(file);
        using var made = await node.AttachAsync(late, nodes.Limit);
        await node.Network.DetachAsync(late.ContainerId, nodes.Limit);
    }
}
