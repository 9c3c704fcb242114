using System.Diagnostics;
using Skep.Network;

namespace Skep.KernelTests.Network;

/// <summary>A node that cannot do what it is to do tries again and again, but not ever faster.</summary>
public sealed class RetryTests
{
    [Fact]
    public async Task Passes_that_fail_for_many_reasons_wait_as_one_and_go_on_when_the_disk_is_right()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var node = nodes.First;
        // A folder in the place of the file that is written first: no choice can be kept.
        var blocked = Path.Combine(node.Folder, "network.json.new");
        Directory.CreateDirectory(blocked);
        try
        {
            await Assert.ThrowsAnyAsync<Exception>(() => node.Network.AttachAsync(new SandboxRequest(TestNode.ContainerOf("late"), "late"), nodes.Limit));
            await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Assert.ThrowsAnyAsync<Exception>(() => node.Network.AuditAsync(nodes.Limit))));

            // Tries come ever slower, settings are looked at every 400 ms, and the prober asks for a pass now and then: some five a second. Each pass
            // that failed trying for itself would make it 20 in a moment.
            node.Log.Clear();
            var began = Stopwatch.GetTimestamp();
            using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (node.Log.Lines.Count(l => l.Contains("A pass over the node's network failed", StringComparison.Ordinal)) < 20)
            {
                await look.WaitForNextTickAsync(nodes.Limit);
            }

            Assert.True(Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(2), $"20 passes within {Stopwatch.GetElapsedTime(began)}:\n{string.Join('\n', node.Log.Lines)}");
        }
        finally
        {
            Directory.Delete(blocked);
        }

        await node.Network.AuditAsync(nodes.Limit);
        await node.Network.DetachAsync(TestNode.ContainerOf("late"), nodes.Limit);
    }
}
