namespace Skep.EndToEndTests.Swarm;

/// <summary>What a node's availability and labels do to services.</summary>
[Collection(SharedSwarm.Name)]
public sealed class NodeTests(SwarmLab lab)
{
    [Fact]
    public async Task DrainMovesTasksPauseKeepsThemAndActiveBringsGlobalOnesBack()
    {
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "spread", "--replicas", "3", SwarmLab.Image);
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "every", "--mode", "global", SwarmLab.Image);
        try
        {
            Assert.Equal([1, 2, 3], (await lab.RunningAsync("spread", 3)).Select(task => task.Node).Order());
            await lab.RunningAsync("every", 3);

            await lab.DockerAsync("node", "update", "--availability", "drain", "node3");
            await lab.UntilAsync("nothing on node3", 20, () => lab.OnAsync(3, "docker", "ps", "-q"), seen => seen.Length == 0);
            Assert.DoesNotContain(3, (await lab.RunningAsync("spread", 3)).Select(task => task.Node));
            Assert.Equal([1, 2], (await lab.RunningAsync("every", 2)).Select(task => task.Node).Order());
            Assert.Equal("2/2", await lab.DockerAsync("service", "ls", "--filter", "name=every", "--format", "{{.Replicas}}"));

            await lab.DockerAsync("node", "update", "--availability", "active", "node3");
            Assert.Equal([1, 2, 3], (await lab.RunningAsync("every", 3)).Select(task => task.Node).Order());

            await lab.DockerAsync("node", "update", "--availability", "pause", "node3");
            var kept = (await lab.RunningAsync("every", 3)).Single(task => task.Node == 3);
            await lab.DockerAsync("service", "scale", "-d", "spread=6");
            Assert.DoesNotContain(3, (await lab.RunningAsync("spread", 6)).Select(task => task.Node));
            Assert.Contains(kept, await lab.TasksAsync("every"));
        }
        finally
        {
            await lab.DockerAsync("node", "update", "--availability", "active", "node3");
            await lab.RemoveAsync("spread", "every");
        }
    }

    [Fact]
    public async Task PreferencesSpreadOverLabelsAndConstraintsFollowThem()
    {
        await lab.DockerAsync("node", "update", "--label-add", "zone=a", "node1");
        await lab.DockerAsync("node", "update", "--label-add", "zone=a", "node2");
        await lab.DockerAsync("node", "update", "--label-add", "zone=b", "node3");
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "zones", "--replicas", "4", "--placement-pref", "spread=node.labels.zone", SwarmLab.Image);
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "inb", "--replicas", "2", "--constraint", "node.labels.zone == b", SwarmLab.Image);
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "most", "--replicas", "4", "--replicas-max-per-node", "1", SwarmLab.Image);
        try
        {
            Assert.Equal([1, 2, 3, 3], (await lab.RunningAsync("zones", 4)).Select(task => task.Node).Order());
            Assert.Equal([3, 3], (await lab.RunningAsync("inb", 2)).Select(task => task.Node));
            Assert.Equal([1, 2, 3], (await lab.RunningAsync("most", 3)).Select(task => task.Node).Order());
            Assert.Contains("no suitable node (max replicas per node limit exceed", await lab.DockerAsync("service", "ps", "--no-trunc", "most"), StringComparison.Ordinal);

            // A constraint that stops to hold sends its tasks away.
            await lab.DockerAsync("node", "update", "--label-add", "zone=b", "node2");
            await lab.DockerAsync("node", "update", "--label-add", "zone=a", "node3");
            await lab.UntilAsync("both moved to node2", 20, async () => (await lab.TasksAsync("inb")).Count(task => task.Node == 2) == 2);
        }
        finally
        {
            await lab.RemoveAsync("zones", "inb", "most");
            foreach (var node in new[] { "node1", "node2", "node3" })
            {
                await lab.DockerAsync("node", "update", "--label-rm", "zone", node);
            }
        }
    }
}
