using System.Security.Cryptography;
using System.Text;
using Skep.Agent.Logs;
using Skep.Agent.Runtime;
using Skep.Model.Errors;
using Skep.Model.Specs;

namespace Skep.KernelTests.Agent.Runtime;

public sealed class ContainerdRuntimeTests(ContainerdFixture fixture) : IClassFixture<ContainerdFixture>
{
    private static CancellationToken Limit => new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    [Fact]
    public async Task A_container_runs_writes_and_ends_with_its_code()
    {
        await using var runtime = await fixture.OpenAsync();
        var events = runtime.FollowAsync(Limit);
        var recipe = Shell("echo out; echo err >&2; hostname; exit 7");
        var created = await runtime.CreateAsync(recipe, Limit);
        Assert.Equal(ContainerState.Created, created.State);
        var started = await runtime.StartAsync(recipe.Id, Limit);
        Assert.True(started.State is ContainerState.Running or ContainerState.Exited);
        var ended = await runtime.WaitAsync(recipe.Id, Limit);
        Assert.Equal((ContainerState.Exited, 7), (ended.State, ended.ExitCode));
        var log = await ReadAsync(runtime, recipe.Id);
        Assert.Contains("Stdout out", log);
        Assert.Contains("Stderr err", log);
        Assert.Contains("Stdout " + recipe.Id[..12], log);
        await runtime.RemoveAsync(recipe.Id, false, Limit);
        var actions = new List<string>();
        await foreach (var happened in events)
        {
            actions.Add(happened.Action);
            if (happened.Action == "destroy")
            {
                break;
            }
        }

        Assert.Equal(["create", "start", "die", "destroy"], actions);
        Assert.Throws<ClusterException>(() => runtime.Find(recipe.Id));
        Assert.False(Directory.Exists(Path.Combine(fixture.Options.DataRoot, "containers", recipe.Id)));
    }

    [Fact]
    public async Task A_command_that_is_not_there_is_refused_with_127_and_can_be_removed()
    {
        await using var runtime = await fixture.OpenAsync();
        var recipe = Shell("") with { Entrypoint = ["nothing-here"], Command = [] };
        await runtime.CreateAsync(recipe, Limit);
        var error = await Assert.ThrowsAsync<ClusterException>(() => runtime.StartAsync(recipe.Id, Limit));
        Assert.Contains("executable file not found in $PATH", error.Message);
        Assert.Equal((ContainerState.Created, 127), (runtime.Find(recipe.Id).State, runtime.Find(recipe.Id).ExitCode));
        await runtime.RemoveAsync(recipe.Id, false, Limit);
    }

    [Fact]
    public async Task Names_are_unique()
    {
        await using var runtime = await fixture.OpenAsync();
        var first = Shell("true");
        await runtime.CreateAsync(first, Limit);
        var error = await Assert.ThrowsAsync<ClusterException>(() => runtime.CreateAsync(Shell("true") with { Name = first.Name }, Limit));
        Assert.Equal(ErrorKind.Conflict, error.Kind);
        Assert.StartsWith($"Conflict. The container name \"/{first.Name}\" is already in use by container \"{first.Id}\".", error.Message);
        Assert.Equal(first.Id, (await runtime.CreateAsync(first, Limit)).Id);
        await runtime.RemoveAsync(first.Id, false, Limit);
    }

    [Fact]
    public async Task Stop_uses_the_signal_then_kills()
    {
        await using var runtime = await fixture.OpenAsync();
        var polite = Shell("trap 'exit 3' TERM; echo ready; while true; do sleep 0.1; done");
        var deaf = Shell("trap '' TERM; echo ready; while true; do sleep 0.1; done");
        foreach (var recipe in new[] { polite, deaf })
        {
            await runtime.CreateAsync(recipe, Limit);
            await runtime.StartAsync(recipe.Id, Limit);
            await FirstLineAsync(runtime, recipe.Id);
        }

        await Task.WhenAll(
            runtime.StopAsync(polite.Id, null, null, Limit),
            runtime.StopAsync(deaf.Id, null, TimeSpan.FromMilliseconds(300), Limit));
        Assert.Equal((3, 137), (runtime.Find(polite.Id).ExitCode, runtime.Find(deaf.Id).ExitCode));
        await runtime.RemoveAsync(polite.Id, false, Limit);
        await runtime.RemoveAsync(deaf.Id, false, Limit);
    }

    [Fact]
    public async Task Exec_has_stdin_streams_and_exit_codes()
    {
        await using var runtime = await fixture.OpenAsync();
        var recipe = Sleeper();
        await runtime.CreateAsync(recipe, Limit);
        await runtime.StartAsync(recipe.Id, Limit);
        var exec = runtime.CreateExec(recipe.Id, new ExecRecipe { Command = ["sh", "-c", "tr a-z A-Z; echo bad >&2; exit 5"], AttachStdin = true, AttachStdout = true, AttachStderr = true });
        var streams = await exec.StartAsync(Limit);
        await streams.Stdin.WriteAsync("shout\n"u8.ToArray(), Limit);
        await streams.Stdin.DisposeAsync();
        Assert.Equal("SHOUT\n", await new StreamReader(streams.Stdout).ReadToEndAsync(Limit));
        Assert.Equal(5, exec.ExitCode);
        Assert.Equal("bad\n", await new StreamReader(streams.Stderr).ReadToEndAsync(Limit));
        Assert.Equal(5, await exec.WaitAsync(Limit));
        Assert.Same(exec, runtime.FindExec(exec.Id));

        var missing = runtime.CreateExec(recipe.Id, new ExecRecipe { Command = ["nothing-here"], AttachStdout = true });
        var words = await new StreamReader((await missing.StartAsync(Limit)).Stdout).ReadToEndAsync(Limit);
        Assert.Contains("executable file not found", words);
        Assert.Equal(127, missing.ExitCode);

        var (id, _) = await RunAsync(runtime, recipe.Id, new ExecRecipe { Command = ["id"], AttachStdout = true, User = "bee" });
        Assert.Equal("uid=1000(bee) gid=1001(bee) groups=1001(bee),1002(extra)\n", id);
        var (large, code) = await RunAsync(runtime, recipe.Id, new ExecRecipe { Command = ["sh", "-c", "yes 0123456 | head -c 3000000"], AttachStdout = true });
        Assert.Equal((3000000, 0), (large.Length, code));
        var (tty, _) = await RunAsync(runtime, recipe.Id, new ExecRecipe { Command = ["sh", "-c", "test -t 1 && echo $TERM"], AttachStdout = true, Tty = true });
        Assert.Equal("xterm\r\n", tty);
        Assert.NotEmpty(await runtime.ProcessesAsync(recipe.Id, Limit));
        await runtime.RemoveAsync(recipe.Id, true, Limit);
    }

    [Fact]
    public async Task Limits_seccomp_capabilities_and_users_are_in_force()
    {
        await using var runtime = await fixture.OpenAsync();
        var recipe = Sleeper() with { User = "bee", Limits = new ResourceLimits { MemoryBytes = 64 << 20, NanoCPUs = 500_000_000, Pids = 50 } };
        await runtime.CreateAsync(recipe, Limit);
        await runtime.StartAsync(recipe.Id, Limit);
        var status = (await RunAsync(runtime, recipe.Id, new ExecRecipe { Command = ["cat", "/proc/1/status"], AttachStdout = true })).Text;
        Assert.Contains("Uid:\t1000", status);
        Assert.Contains("CapBnd:\t00000000a80425fb", status);
        Assert.Contains("CapEff:\t0000000000000000", status);
        Assert.Contains("Seccomp:\t2", status);
        var root = (await RunAsync(runtime, recipe.Id, new ExecRecipe { Command = ["cat", "/proc/self/status"], AttachStdout = true, User = "0" })).Text;
        Assert.Contains("CapEff:\t00000000a80425fb", root);
        var (words, code) = await RunAsync(runtime, recipe.Id, new ExecRecipe { Command = ["unshare", "-m", "true"], AttachStdout = true, AttachStderr = true, User = "0" });
        Assert.NotEqual(0, code);
        Assert.DoesNotContain("not found", words);
        var parent = fixture.Options.CgroupParent;
        var memory = File.Exists("/sys/fs/cgroup/cgroup.controllers")
            ? $"/sys/fs/cgroup{parent}/{recipe.Id}/memory.max"
            : $"/sys/fs/cgroup/memory{parent}/{recipe.Id}/memory.limit_in_bytes";
        Assert.Equal((64 << 20).ToString(System.Globalization.CultureInfo.InvariantCulture), File.ReadAllText(memory).Trim());
        await runtime.RemoveAsync(recipe.Id, true, Limit);
    }

    [Fact]
    public async Task Mounts_and_volumes_hold_what_they_should()
    {
        await using var runtime = await fixture.OpenAsync();
        var host = Directory.CreateDirectory(Path.Combine(fixture.Folder, "host")).FullName;
        File.WriteAllText(Path.Combine(host, "file"), "from the host\n");
        var recipe = Shell("cat /host/file /data/seed; echo new > /data/new; touch /host/x 2>/dev/null || echo read-only; stat -c %a /t; cat /etc/hosts") with
        {
            Hosts = ["10.9.8.7\tfriend"],
            Mounts =
            [
                new Mount { Type = "bind", Source = host, Target = "/host", ReadOnly = true },
                new Mount { Type = "volume", Source = "keep", Target = "/data" },
                new Mount { Type = "tmpfs", Target = "/t", TmpfsOptions = new TmpfsOptions { Mode = 0b111_000_000 } },
            ],
        };
        await runtime.CreateAsync(recipe, Limit);
        await runtime.StartAsync(recipe.Id, Limit);
        await runtime.WaitAsync(recipe.Id, Limit);
        var log = await ReadAsync(runtime, recipe.Id);
        Assert.Contains("Stdout from the host", log);
        Assert.Contains("Stdout from the image", log);
        Assert.Contains("Stdout read-only", log);
        Assert.Contains("Stdout 700", log);
        Assert.Contains("Stdout 10.9.8.7\tfriend", log);
        await runtime.RemoveAsync(recipe.Id, true, Limit);
        Assert.Equal("new\n", File.ReadAllText(Path.Combine(fixture.Volumes.Find("keep")!.Mountpoint, "new")));
        var missing = Shell("true") with { Mounts = [new Mount { Type = "bind", Source = "/not/there", Target = "/x" }] };
        var error = await Assert.ThrowsAsync<ClusterException>(() => runtime.CreateAsync(missing, Limit));
        Assert.Equal("invalid mount config for type \"bind\": bind source path does not exist: /not/there", error.Message);
        await runtime.CreateAsync(missing with { Mounts = [] }, Limit);
        await runtime.RemoveAsync(missing.Id, true, Limit);
    }

    [Fact]
    public async Task Health_turns_from_starting_to_healthy_to_unhealthy()
    {
        await using var runtime = await fixture.OpenAsync();
        var events = runtime.FollowAsync(Limit);
        var recipe = Shell("echo > /tmp/ok; sleep 1000") with
        {
            Healthcheck = new HealthConfig { Test = ["CMD-SHELL", "cat /tmp/ok && echo fine"], Interval = 50_000_000, Retries = 2 },
        };
        await runtime.CreateAsync(recipe, Limit);
        Assert.Equal("starting", (await runtime.StartAsync(recipe.Id, Limit)).Health!.Status);
        var seen = new List<string>();
        await foreach (var happened in events)
        {
            if (happened.Action == "health_status: healthy")
            {
                Assert.Contains("fine", runtime.Find(recipe.Id).Health!.Log[^1].Output);
                await RunAsync(runtime, recipe.Id, new ExecRecipe { Command = ["busybox", "rm", "/tmp/ok"], AttachStdout = true });
            }

            if (happened.Action == "health_status: unhealthy")
            {
                break;
            }
        }

        Assert.True(runtime.Find(recipe.Id).Health!.FailingStreak >= 2);
        await runtime.RemoveAsync(recipe.Id, true, Limit);
    }

    [Fact]
    public async Task A_new_runtime_takes_over_what_the_old_one_left()
    {
        var recipe = Shell("i=0; while true; do i=$((i+1)); echo line $i; sleep 0.02; done");
        var brief = Shell("sleep 0.3; exit 4");
        int process;
        await using (var before = await fixture.OpenAsync())
        {
            foreach (var r in new[] { recipe, brief })
            {
                await before.CreateAsync(r, Limit);
                await before.StartAsync(r.Id, Limit);
            }

            process = before.Find(brief.Id).Pid;
            await FirstLineAsync(before, recipe.Id);
        }

        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (process > 0 && Directory.Exists($"/proc/{process}"))
        {
            await look.WaitForNextTickAsync(Limit);
        }

        await using var runtime = await fixture.OpenAsync();
        Assert.Equal((ContainerState.Exited, 4), (runtime.Find(brief.Id).State, runtime.Find(brief.Id).ExitCode));
        Assert.Equal(ContainerState.Running, runtime.Find(recipe.Id).State);
        var lines = new List<int>();
        await foreach (var entry in runtime.Log(recipe.Id).ReadAsync(new LogQuery { Follow = true }, Limit))
        {
            lines.Add(int.Parse(Encoding.UTF8.GetString(entry.Line.Span).Split(' ')[1]));
            if (lines.Count > 60)
            {
                break;
            }
        }

        Assert.Equal(Enumerable.Range(1, lines.Count), lines);
        await runtime.RemoveAsync(recipe.Id, true, Limit);
        await runtime.RemoveAsync(brief.Id, true, Limit);
    }

    [Fact]
    public async Task Containers_outlive_a_killed_containerd()
    {
        await using var runtime = await fixture.OpenAsync();
        var recipe = Sleeper();
        var brief = Shell("sleep 0.3; exit 6");
        foreach (var r in new[] { recipe, brief })
        {
            await runtime.CreateAsync(r, Limit);
            await runtime.StartAsync(r.Id, Limit);
        }

        await fixture.KillContainerdAsync();
        var another = Shell("exit 9");
        var creating = runtime.CreateAsync(another, Limit);
        await Task.Delay(500);
        fixture.StartContainerd();
        await creating;
        await runtime.StartAsync(another.Id, Limit);
        Assert.Equal(9, (await runtime.WaitAsync(another.Id, Limit)).ExitCode);
        Assert.Equal(6, (await runtime.WaitAsync(brief.Id, Limit)).ExitCode);
        Assert.Equal(ContainerState.Running, runtime.Find(recipe.Id).State);
        Assert.Equal("still\n", (await RunAsync(runtime, recipe.Id, new ExecRecipe { Command = ["echo", "still"], AttachStdout = true })).Text);
        foreach (var r in new[] { recipe, brief, another })
        {
            await runtime.RemoveAsync(r.Id, true, Limit);
        }
    }

    private static ContainerRecipe Shell(string line)
    {
        var id = RandomNumberGenerator.GetHexString(64, lowercase: true);
        return new ContainerRecipe { Id = id, Name = "t-" + id[..8], Image = ContainerdFixture.ImageName, Entrypoint = ["sh", "-c"], Command = [line] };
    }

    private static ContainerRecipe Sleeper() => Shell("trap 'exit 0' TERM; while true; do sleep 0.2; done");

    private static async Task<(string Text, int Code)> RunAsync(ContainerdRuntime runtime, string id, ExecRecipe recipe)
    {
        var exec = runtime.CreateExec(id, recipe);
        var streams = await exec.StartAsync(Limit);
        var texts = await Task.WhenAll(new StreamReader(streams.Stdout).ReadToEndAsync(Limit), new StreamReader(streams.Stderr).ReadToEndAsync(Limit));
        return (string.Concat(texts), await exec.WaitAsync(Limit));
    }

    private static async Task FirstLineAsync(ContainerdRuntime runtime, string id)
    {
        await foreach (var _ in runtime.Log(id).ReadAsync(new LogQuery { Follow = true }, Limit))
        {
            return;
        }
    }

    private static async Task<List<string>> ReadAsync(ContainerdRuntime runtime, string id)
    {
        var lines = new List<string>();
        await foreach (var entry in runtime.Log(id).ReadAsync(new LogQuery(), Limit))
        {
            lines.Add($"{entry.Source} {Encoding.UTF8.GetString(entry.Line.Span).TrimEnd('\n')}");
        }

        return lines;
    }
}
