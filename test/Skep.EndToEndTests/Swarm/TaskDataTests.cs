namespace Skep.EndToEndTests.Swarm;

/// <summary>What goes into tasks and comes out of them: logs, events, exec, volumes.</summary>
[Collection(SharedSwarm.Name)]
public sealed class TaskDataTests(SwarmLab lab)
{
    [Fact]
    public async Task ServiceLogsAreCutByTailAndSinceStampedAndFollowed()
    {
        await lab.DockerAsync(
            "service", "create", "-d", "--stop-grace-period", "1s", "--name", "lines", "--replicas", "2", SwarmLab.Image,
            "sh", "-c", "echo oops >&2; sleep 0.3; for i in 1 2 3 4 5; do echo line $i; done; while ! test -e /go; do sleep 0.1; done; echo later; sleep 3600");
        try
        {
            var tasks = await lab.RunningAsync("lines", 2);
            await lab.UntilAsync("both tasks' lines", 10, () => lab.DockerAsync("service", "logs", "lines"), seen => seen.Split("line 5").Length == 3);
            Assert.Equal(["line 4", "line 4", "line 5", "line 5"], (await lab.ShellAsync(1, "docker service logs --raw --tail 2 lines 2>/dev/null")).Split('\n').Order());
            Assert.Equal("oops\noops", await lab.ShellAsync(1, "docker service logs --raw lines 2>&1 >/dev/null"));
            Assert.All((await lab.DockerAsync("service", "logs", "--timestamps", "--tail", "2", "lines")).Split('\n'), line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z lines\.[12]\.[0-9a-z]{12}@node[123]\s+\| line [45]$", line));
            Assert.Equal("", await lab.ShellAsync(1, "docker service logs --since 2099-01-01T00:00:00Z lines 2>&1"));
            Assert.Equal(10, (await lab.ShellAsync(1, "docker service logs --raw --since 10m lines 2>/dev/null")).Split('\n').Length);
            Assert.Equal("line 1", (await lab.ShellAsync(1, $"docker service logs --raw {tasks[0].Id} 2>/dev/null")).Split('\n')[0]);

            var follow = lab.TryAsync(1, ["sh", "-c", "docker service logs --raw --follow lines >/tmp/follow 2>/tmp/errors & p=$!; for i in $(seq 100); do [ $(grep -c later /tmp/follow) = 2 ] && break; sleep 0.1; done; kill $p; grep later /tmp/follow"]);
            await lab.UntilAsync("the old lines are followed", 10, () => lab.ShellAsync(1, "cat /tmp/follow 2>/dev/null || true"), seen => seen.Split("line 5").Length == 3);
            foreach (var task in tasks)
            {
                await lab.OnAsync(task.Node, "docker", "exec", task.Container, "touch", "/go");
            }

            Assert.Equal("later\nlater", (await follow).Output.Trim());
        }
        finally
        {
            await lab.RemoveAsync("lines");
        }
    }

    [Fact]
    public async Task EventsTellWhatHappenedToServicesAndContainers()
    {
        var since = (await lab.ShellAsync(1, "date +%s")).Trim();
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "witnessed", "--constraint", "node.hostname==node1", SwarmLab.Image);
        await lab.RunningAsync("witnessed", 1);
        await lab.DockerAsync("service", "update", "-d", "--label-add", "a=b", "witnessed");
        await lab.RemoveAsync("witnessed");

        var events = (await lab.ShellAsync(1, $"docker events --since {since} --until $(($(date +%s) + 1)) --format '{{{{.Type}}}} {{{{.Action}}}} {{{{.Scope}}}} {{{{.Actor.Attributes.name}}}}'")).Split('\n')
            .Where(line => line.Contains(" witnessed", StringComparison.Ordinal)).Select(line => line[..line.IndexOf(" witnessed", StringComparison.Ordinal)]).ToList();

        Assert.Equal(["service create swarm", "service update swarm", "service remove swarm"], events.Where(line => line.StartsWith("service ", StringComparison.Ordinal)));
        Assert.Equal(
            ["container create local", "container start local", "container die local", "container destroy local"],
            events.Where(line => line is "container create local" or "container start local" or "container die local" or "container destroy local"));
    }

    [Fact]
    public async Task AVolumeOutlivesItsTasksAndATmpfsDoesNot()
    {
        await lab.DockerAsync(
            "service", "create", "-d", "--stop-grace-period", "1s", "--name", "stateful", "--constraint", "node.hostname==node2",
            "--mount", "type=volume,source=e2e-data,target=/data", "--mount", "type=tmpfs,target=/scratch,tmpfs-size=1048576", SwarmLab.Image);
        try
        {
            var task = Assert.Single(await lab.RunningAsync("stateful", 1));
            await InAsync(task, "echo kept >/data/file; echo gone >/scratch/file");
            Assert.Contains("size=1024k", await InAsync(task, "grep /scratch /proc/mounts"), StringComparison.Ordinal);

            await lab.DockerAsync("service", "update", "-d", "--force", "stateful");
            await lab.UntilAsync("another task runs", 20, async () => await lab.TasksAsync("stateful") is [var other] && other.Id != task.Id);
            var next = Assert.Single(await lab.TasksAsync("stateful"));
            Assert.Equal("kept", await InAsync(next, "cat /data/file; cat /scratch/file 2>/dev/null || true"));
        }
        finally
        {
            await lab.RemoveAsync("stateful");
        }

        Task<string> InAsync(RunningTask task, string script) => lab.OnAsync(task.Node, "docker", "exec", task.Container, "sh", "-c", script);
    }

    [Fact]
    public async Task ExecCarriesInputOutputAndExitCode()
    {
        await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "entered", "--constraint", "node.hostname==node1", SwarmLab.Image);
        try
        {
            var task = Assert.Single(await lab.RunningAsync("entered", 1));
            var input = string.Join('\n', Enumerable.Range(0, 50_000)) + "\n";

            Assert.Equal((0, input, ""), await lab.TryAsync(1, ["docker", "exec", "-i", task.Container, "cat"], input));
            Assert.Equal((42, "out\n", "err\n"), await lab.TryAsync(1, ["docker", "exec", task.Container, "sh", "-c", "echo out; echo err >&2; exit 42"]));
            Assert.Equal("1000 /tmp b", await lab.OnAsync(1, "docker", "exec", "-u", "1000", "-w", "/tmp", "-e", "A=b", task.Container, "sh", "-c", "echo $(id -u) $PWD $A"));
            var (status, said, error) = await lab.TryAsync(1, ["docker", "exec", task.Container, "no-such-program"]);
            Assert.Equal(127, status);
            Assert.Contains("exec: \"no-such-program\": executable file not found in $PATH", said + error, StringComparison.Ordinal);
        }
        finally
        {
            await lab.RemoveAsync("entered");
        }
    }
}
