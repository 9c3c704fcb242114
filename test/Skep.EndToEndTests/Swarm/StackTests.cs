namespace Skep.EndToEndTests.Swarm;

/// <summary>A Compose file deployed, looked at, changed, removed and deployed again.</summary>
[Collection(SharedSwarm.Name)]
public sealed class StackTests(SwarmLab lab)
{
    private const string Compose = """
        version: "3.8"
        services:
          web:
            image: skep-demo
            stop_grace_period: 1s
            ports: ["5041:3000"]
            environment: { COLOUR: blue }
            deploy: { replicas: 2, labels: { tier: front } }
          front:
            image: skep-demo
            stop_grace_period: 1s
            command: ["sleep", "3600"]
            volumes: ["kept:/data"]
        volumes:
          kept: {}
        """;

    [Fact]
    public async Task AStackIsDeployedSeenChangedRemovedAndDeployedAgainAtOnce()
    {
        await WriteAsync("compose.yml", Compose);
        try
        {
            var said = await DeployAsync();
            Assert.Contains("Creating network st_default", said, StringComparison.Ordinal);
            Assert.Contains("Creating service st_web", said, StringComparison.Ordinal);
            await WorksAsync();
            Assert.Equal("st 2", await lab.DockerAsync("stack", "ls", "--format", "{{.Name}} {{.Services}}"));
            Assert.Equal(["st_front 1/1", "st_web 2/2"], (await lab.DockerAsync("stack", "services", "st", "--format", "{{.Name}} {{.Replicas}}")).Split('\n').Order());
            Assert.Equal(["st_front.1", "st_web.1", "st_web.2"], (await lab.DockerAsync("stack", "ps", "st", "--format", "{{.Name}}")).Split('\n').Order());
            var tasks = (await lab.TasksAsync("st_web")).Concat(await lab.TasksAsync("st_front")).ToList();

            // The same file once more changes nothing; another label changes no task.
            await DeployAsync();
            await WriteAsync("compose.yml", Compose.Replace("tier: front", "tier: back", StringComparison.Ordinal));
            Assert.Contains("Updating service st_web", await DeployAsync(), StringComparison.Ordinal);
            Assert.Equal("back", await lab.DockerAsync("service", "inspect", "st_web", "--format", "{{.Spec.Labels.tier}}"));
            Assert.Equal(tasks, (await lab.TasksAsync("st_web")).Concat(await lab.TasksAsync("st_front")));

            Assert.Contains("Removing network st_default", await RemoveAsync(), StringComparison.Ordinal);
            await DeployAsync();
            await WorksAsync();
            Assert.DoesNotContain((await lab.TasksAsync("st_web")).Select(task => task.Id), tasks.Select(task => task.Id).Contains);
        }
        finally
        {
            await lab.TryAsync(1, ["docker", "stack", "rm", "st"]);
            foreach (var node in new[] { 1, 2, 3 })
            {
                await lab.UntilAsync("no container of the stack", 30, () => lab.OnAsync(node, "docker", "ps", "-a", "-q", "--filter", "name=st_"), seen => seen.Length == 0);
            }
        }

        Assert.Equal("", await lab.DockerAsync("stack", "ls", "--format", "{{.Name}}"));
        await lab.UntilAsync("its network is gone", 10, () => lab.DockerAsync("network", "ls", "-q", "--filter", "name=st_default"), seen => seen.Length == 0);
    }

    private async Task WorksAsync()
    {
        await lab.RunningAsync("st_web", 2, 30);
        var front = Assert.Single(await lab.RunningAsync("st_front", 1, 30));
        await InFrontAsync("http://web:3000/", "ok");
        await InFrontAsync("http://st_web:3000/", "ok");
        await lab.UntilAsync("the mesh answers", 10, async () => await lab.AskAsync(3, 5041) != "");
        var web = (await lab.TasksAsync("st_web"))[0];
        Assert.Equal("blue", await lab.OnAsync(web.Node, "docker", "exec", web.Container, "sh", "-c", "echo $COLOUR"));

        Task<string> InFrontAsync(string address, string words) => lab.UntilAsync(
            $"{address} answers", 10,
            async () => (await lab.TryAsync(front.Node, ["docker", "exec", front.Container, "timeout", "3", "wget", "-qO", "-", address])).Output.Trim(), seen => seen == words);
    }

    private Task<string> DeployAsync() => lab.ShellAsync(1, "cd /tmp && docker stack deploy --resolve-image never -c compose.yml st 2>&1");

    private Task<string> RemoveAsync() => lab.ShellAsync(1, "docker stack rm st 2>&1");

    private async Task WriteAsync(string file, string text) =>
        Assert.Equal(0, (await lab.TryAsync(1, ["sh", "-c", $"cat >/tmp/{file}"], text)).Status);
}
