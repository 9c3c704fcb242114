namespace Skep.UnitTests.Daemon.Http;

/// <summary>What people type, with the command line that they type it with.</summary>
public sealed class DockerCliTests
{
    [Fact]
    public async Task A_service_from_create_to_rm()
    {
        await using var engine = await EngineFixture.StartManagerAsync();
        await Says(engine, "", "network", "create", "-d", "overlay", "--subnet", "10.5.0.0/24", "net1");
        await Fails(engine, "10.5.0.128/25 overlaps a subnet of network net1", "network", "create", "-d", "overlay", "--subnet", "10.5.0.128/25", "net2");
        await Says(engine, "", "service", "create", "-d", "--no-resolve-image", "--name", "web", "--replicas", "2", "--network", "net1", "-p", "8080:80", "-e", "A=1", "busybox", "httpd");
        await Says(engine, "web       replicated   0/2        busybox:latest", "service", "ls");
        await Says(engine, "Service Mode:\tReplicated\n Replicas:\t2", "service", "inspect", "--pretty", "web");
        await Says(engine, "Networks: net1", "service", "inspect", "--pretty", "web");
        await Says(engine, "web", "service", "update", "-d", "--env-add", "B=2", "--update-parallelism", "2", "web");

        // The CLI takes the environment from a map, so its order changes from run to run.
        await Says(engine, "B=2", "service", "inspect", "-f", "{{.Spec.TaskTemplate.ContainerSpec.Env}}", "web");
        await Says(engine, "[A=1]", "service", "inspect", "-f", "{{.PreviousSpec.TaskTemplate.ContainerSpec.Env}}", "web");
        await Says(engine, "web scaled to 5", "service", "scale", "-d", "web=5");
        await Says(engine, "5", "service", "inspect", "-f", "{{.Spec.Mode.Replicated.Replicas}}", "web");
        await Fails(engine, "name conflicts with an existing object: service web already exists", "service", "create", "-d", "--no-resolve-image", "--name", "web", "busybox");
        await Fails(engine, "port '8080' is already in use by service 'web'", "service", "create", "-d", "--no-resolve-image", "--name", "b", "-p", "8080:1", "busybox");
        await Fails(engine, "is in use by service", "network", "rm", "net1");
        await Says(engine, "web", "service", "rm", "web");
        await Says(engine, "net1", "network", "rm", "net1");
        // The command line of Debian 12 (20.10) has a sentence of its own for this.
        await Fails(engine, "net1", "network", "inspect", "net1");
        await Fails(engine, "service web not found", "service", "rm", "web");
    }

    [Fact]
    public async Task Nodes_networks_and_the_swarm()
    {
        await using var engine = await EngineFixture.StartAsync();
        await Fails(engine, "This node is not a swarm manager. Use \"docker swarm init\"", "node", "ls");
        await Says(engine, "docker swarm join --token SWMTKN-1-", "swarm", "init");
        await Says(engine, "node1      Ready     Active         Leader           0.1.0", "node", "ls");
        await Says(engine, "", "node", "update", "--label-add", "rack=r1", "--availability", "drain", "node1");
        await Says(engine, " - rack=r1", "node", "inspect", "--pretty", "self");
        await Fails(engine, "attempting to demote the last manager of the swarm", "node", "demote", "node1");
        await Says(engine, "10.99.0.1:2377", "swarm", "join-token", "worker");
        var (_, before) = await DockerCli.RunAsync(engine, "swarm", "join-token", "-q", "worker");
        var (_, after) = await DockerCli.RunAsync(engine, "swarm", "join-token", "--rotate", "-q", "worker");
        Assert.StartsWith("SWMTKN-1-", after, StringComparison.Ordinal);
        Assert.NotEqual(before, after);
        await Says(engine, "Swarm updated.", "swarm", "update", "--task-history-limit", "3");
        await Says(engine, "Task History Retention Limit: 3", "info");
        await Says(engine, "ingress   overlay   swarm", "network", "ls");
        await Fails(engine, "bridge is a pre-defined network and cannot be removed", "network", "rm", "bridge");
        await Says(engine, "Version:          0.1.0", "version");
        await Says(engine, "TYPE", "system", "df");
        await Fails(engine, "an encrypted ingress network is not done by this version", "network", "create", "-d", "overlay", "--ingress", "--opt", "encrypted", "n");
        await Fails(engine, "No such object: nosuch", "inspect", "nosuch");
        await Says(engine, "Nothing found in stack: s", "stack", "rm", "s");
    }

    private static async Task Says(EngineFixture engine, string part, params string[] arguments)
    {
        var (exit, output) = await DockerCli.RunAsync(engine, arguments);
        Assert.True(exit == 0 && output.Contains(part, StringComparison.Ordinal), $"docker {string.Join(' ', arguments)} ended with {exit}, wanted \"{part}\":\n{output}");
    }

    private static async Task Fails(EngineFixture engine, string part, params string[] arguments)
    {
        var (exit, output) = await DockerCli.RunAsync(engine, arguments);
        Assert.True(exit != 0 && output.Contains(part, StringComparison.OrdinalIgnoreCase), $"docker {string.Join(' ', arguments)} ended with {exit}, wanted \"{part}\":\n{output}");
    }
}
