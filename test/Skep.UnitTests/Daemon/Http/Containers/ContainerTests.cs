using System.Text;
using System.Text.Json;
using Skep.Agent.Logs;
using Skep.Agent.Runtime;
using Skep.Model.Specs;
using Skep.Network;
using Skep.UnitTests.Daemon.Http.Fakes;

namespace Skep.UnitTests.Daemon.Http.Containers;

public sealed class ContainerTests
{
    private static readonly Dictionary<string, string> s_task = new() { ["com.docker.swarm.task"] = "", ["com.docker.swarm.service.name"] = "web" };

    [Theory]
    [InlineData("", "web,other")]
    [InlineData("all=1", "web,other,done,new")]
    [InlineData("limit=3", "web,other,done")]
    [InlineData("filters={\"status\":[\"exited\"]}", "done")]
    [InlineData("all=1&filters={\"exited\":[\"3\"]}", "done")]
    [InlineData("filters={\"name\":[\"^we\"]}", "web")]
    [InlineData("filters={\"name\":[\"^/other$\"]}", "other")]
    [InlineData("filters={\"id\":[\"ab12\"]}", "web")]
    [InlineData("filters={\"is-task\":[\"true\"]}", "web")]
    [InlineData("filters={\"is-task\":[\"false\"]}", "other")]
    [InlineData("filters={\"label\":[\"com.docker.swarm.service.name=web\"]}", "web")]
    [InlineData("filters={\"health\":[\"healthy\"]}", "other")]
    [InlineData("filters={\"ancestor\":[\"busybox\"]}", "web,other")]
    [InlineData("filters={\"ancestor\":[\"box\"]}", "")]
    [InlineData("filters={\"network\":[\"net1\"]}", "web")]
    [InlineData("filters={\"publish\":[\"9054\"]}", "web")]
    [InlineData("filters={\"volume\":[\"/data\"]}", "other")]
    [InlineData("all=1&filters={\"before\":[\"done\"]}", "new")]
    [InlineData("all=1&filters={\"since\":[\"done\"]}", "web,other")]
    public async Task Lists_are_filtered(string query, string names)
    {
        await using var engine = await StartAsync();
        var rows = await engine.GetAsync("/v1.50/containers/json?" + query.Replace("^", "%5E", StringComparison.Ordinal));
        Assert.Equal(names, string.Join(',', rows.EnumerateArray().Select(r => r.GetProperty("Names")[0].GetString()![1..])));
    }

    [Theory]
    [InlineData("GET", "/containers/json?filters={\"status\":[\"odd\"]}", 400, "invalid filter 'status=odd'")]
    [InlineData("GET", "/containers/none/json", 404, "No such container: none")]
    [InlineData("GET", "/containers/web/logs", 400, "Bad parameters: you must choose at least one stream")]
    [InlineData("POST", "/containers/none/kill", 404, "Cannot kill container: none: No such container: none")]
    [InlineData("DELETE", "/containers/web", 409, "cannot remove container \"/web\": container is running: stop the container before removing or force remove")]
    [InlineData("POST", "/containers/web/wait?condition=odd", 400, "invalid condition: \"odd\"")]
    [InlineData("POST", "/containers/web/pause", 501, "This version does not pause containers.")]
    [InlineData("POST", "/containers/none/pause", 404, "No such container: none")]
    [InlineData("GET", "/containers/web/top?ps_args=-Z", 400, "ps arguments \"-Z\" are not understood by this version; use -ef, aux or -o with columns")]
    public async Task Refusals_have_dockers_words(string method, string path, int status, string message)
    {
        await using var engine = await StartAsync();
        var answer = await engine.SendAsync(method, "/v1.50" + path);
        Assert.Equal((status, message), (answer.Status, answer.Body.GetProperty("message").GetString()));
    }

    [Fact]
    public async Task What_does_not_run_cannot_be_stopped_killed_or_read()
    {
        await using var engine = await StartAsync();
        Assert.Equal(304, (await engine.SendAsync("POST", "/containers/done/stop")).Status);
        Assert.Equal(304, (await engine.SendAsync("POST", "/containers/web/start")).Status);
        Assert.Equal(409, (await engine.SendAsync("POST", "/containers/done/kill")).Status);
        Assert.Equal(409, (await engine.SendAsync("GET", "/containers/done/top")).Status);
        Assert.Equal(409, (await engine.SendAsync("POST", "/containers/done/resize?h=1&w=1")).Status);
        Assert.Empty(engine.Runtime.Calls);
    }

    [Fact]
    public async Task Stopping_passes_signal_and_time()
    {
        await using var engine = await StartAsync();
        Assert.Equal(204, (await engine.SendAsync("POST", "/containers/web/stop?t=3&signal=SIGINT")).Status);
        Assert.Equal(204, (await engine.SendAsync("POST", "/containers/other/kill?signal=HUP")).Status);
        Assert.Equal(["stop web SIGINT 00:00:03", "kill other HUP"], engine.Runtime.Calls);
    }

    [Fact]
    public async Task A_task_that_ended_is_not_started_again()
    {
        await using var engine = await StartAsync();
        engine.Runtime.End(engine.Runtime.Find("web").Id, 0);
        Assert.Equal(409, (await engine.SendAsync("POST", "/containers/web/start")).Status);
        Assert.Equal(204, (await engine.SendAsync("POST", "/containers/done/start")).Status);
        Assert.Equal(["start done"], engine.Runtime.Calls);
    }

    [Fact]
    public async Task Inspect_shows_the_places_on_networks()
    {
        await using var engine = await StartAsync();
        var web = await engine.GetAsync("/containers/ab12/json");
        Assert.Equal("/web", web.GetProperty("Name").GetString());
        Assert.Equal("sh", web.GetProperty("Path").GetString());
        Assert.Equal("0001-01-01T00:00:00Z", web.GetProperty("State").GetProperty("FinishedAt").GetString());
        var networks = web.GetProperty("NetworkSettings").GetProperty("Networks");
        Assert.Equal(["net1"], networks.EnumerateObject().Select(n => n.Name));
        Assert.Equal("10.0.1.5", networks.GetProperty("net1").GetProperty("IPAddress").GetString());
        Assert.Equal(24, networks.GetProperty("net1").GetProperty("IPPrefixLen").GetInt32());
        Assert.Equal("9054", web.GetProperty("NetworkSettings").GetProperty("Ports").GetProperty("54/tcp")[0].GetProperty("HostPort").GetString());
    }

    [Fact]
    public async Task Prune_leaves_tasks_that_have_not_started()
    {
        await using var engine = await StartAsync();
        var (_, body) = await engine.SendAsync("POST", "/containers/prune");
        Assert.Equal([engine.Runtime.Find("web").Id, engine.Runtime.Find("other").Id, engine.Runtime.Find("new").Id], engine.Runtime.Existing.Select(c => c.Id));
        Assert.Equal(1, body.GetProperty("ContainersDeleted").GetArrayLength());
    }

    [Theory]
    [InlineData("not-running")]
    [InlineData("next-exit")]
    public async Task Waiting_answers_its_headers_at_once_and_the_code_later(string condition)
    {
        await using var engine = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/containers/web/wait?condition={condition}");
        using var response = await engine.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(TimeSpan.FromSeconds(10));
        engine.Runtime.End(engine.Runtime.Find("web").Id, 9);
        Assert.Equal("{\"StatusCode\":9}\n", await response.Content.ReadAsStringAsync().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Waiting_for_the_removal_tells_the_code_it_ended_with()
    {
        await using var engine = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/containers/web/wait?condition=removed");
        using var response = await engine.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(204, (await engine.SendAsync("DELETE", "/containers/web?force=1")).Status);
        Assert.Equal(137, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("StatusCode").GetInt32());
    }

    [Fact]
    public async Task Logs_are_frames_with_heads_at_the_beginnings_of_lines()
    {
        await using var engine = await StartAsync();
        var log = (FakeLog)engine.Runtime.Log(engine.Runtime.Find("web").Id);
        log.Write(LogSource.Stdout, "long ");
        log.Write(LogSource.Stderr, "x\n");
        log.Write(LogSource.Stdout, "line\n");
        var bytes = await engine.Http.GetByteArrayAsync("/v1.50/containers/web/logs?stdout=1&stderr=1&timestamps=1");
        const string Time = "1970-01-01T00:00:00.000000000Z ";
        byte[] expected = [.. Frame(1, Time + "long "), .. Frame(2, Time + "x\n"), .. Frame(1, "line\n")];
        Assert.Equal(expected, bytes);
    }

    [Fact]
    public async Task Following_ends_with_the_container()
    {
        await using var engine = await StartAsync();
        var id = engine.Runtime.Find("other").Id;
        using var response = await engine.Http.GetAsync("/containers/other/logs?stdout=1&follow=1", HttpCompletionOption.ResponseHeadersRead);
        ((FakeLog)engine.Runtime.Log(id)).Write(LogSource.Stdout, "later\n");
        engine.Runtime.End(id, 0);
        Assert.Equal(Frame(1, "later\n"), await response.Content.ReadAsByteArrayAsync().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Attaching_shows_what_was_and_what_comes_and_ends_with_the_container()
    {
        await using var engine = await StartAsync();
        var id = engine.Runtime.Find("web").Id;
        var log = (FakeLog)engine.Runtime.Log(id);
        log.Write(LogSource.Stdout, "past\n");
        using var socket = await engine.ConnectAsync();
        await socket.SendAsync("POST /v1.50/containers/web/attach?logs=1&stream=1&stdout=1&stderr=1&stdin=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        var text = new StringBuilder();
        var buffer = new byte[4096];
        var told = false;
        int length;
        while ((length = await socket.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(10))) > 0)
        {
            text.Append(Encoding.ASCII.GetString(buffer, 0, length));
            if (!told && text.ToString().EndsWith("past\n", StringComparison.Ordinal))
            {
                told = true;
                log.Write(LogSource.Stderr, "later\n");
                engine.Runtime.End(id, 0);
            }
        }

        Assert.StartsWith("HTTP/1.1 101 UPGRADED\r\n", text.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("\u0001\0\0\0\0\0\0\u0005past\n\u0002\0\0\0\0\0\0\u0006later\n", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Input_to_a_container_that_reads_it_is_refused()
    {
        await using var engine = await StartAsync();
        engine.Runtime.Existing.Add(FakeRuntime.Running("99", "reader", r => r with { OpenStdin = true }));
        Assert.Equal(501, (await engine.SendAsync("POST", "/containers/reader/attach?stream=1&stdin=1&stdout=1")).Status);
    }

    [Fact]
    public async Task Stats_have_the_numbers_of_the_process()
    {
        await using var engine = await StartAsync();
        var stats = await engine.GetAsync("/containers/web/stats?stream=0&one-shot=1");
        Assert.Equal("/web", stats.GetProperty("name").GetString());
        Assert.True(stats.GetProperty("cpu_stats").GetProperty("system_cpu_usage").GetUInt64() > 0);
        Assert.True(stats.GetProperty("cpu_stats").GetProperty("online_cpus").GetInt32() > 0);
        Assert.True(stats.GetProperty("memory_stats").GetProperty("limit").GetUInt64() > 0);
        var idle = await engine.GetAsync("/containers/done/stats?stream=0&one-shot=1");
        Assert.False(idle.GetProperty("memory_stats").TryGetProperty("usage", out _));
    }

    [Fact]
    public async Task The_cli_shows_and_changes_containers()
    {
        Assert.SkipUnless(DockerCli.IsThere, "the docker CLI is not installed");
        await using var engine = await StartAsync();
        ((FakeLog)engine.Runtime.Log(engine.Runtime.Find("web").Id)).Write(LogSource.Stdout, "started\n");
        Assert.Equal("web Up 3 minutes sh -c 'echo started; exec sleep 10000'\nother Up 3 minutes (healthy) sh -c 'echo started; exec sleep 10000'\n", Cut(await CliAsync(engine, "ps", "--no-trunc", "--format", "{{.Names}} {{.Status}} {{.Command}}")));
        Assert.Equal("0.0.0.0:9054->54/tcp net1\n", await CliAsync(engine, "ps", "-f", "name=web", "--format", "{{.Ports}} {{.Networks}}"));
        Assert.Equal("10.0.1.5\n", await CliAsync(engine, "inspect", "web", "-f", "{{.NetworkSettings.Networks.net1.IPAddress}}"));
        Assert.Equal("started\n", await CliAsync(engine, "logs", "web"));
        Assert.Contains("UID ", await CliAsync(engine, "top", "web"), StringComparison.Ordinal);
        Assert.Equal("54/tcp -> 0.0.0.0:9054\n", await CliAsync(engine, "port", "web"));
        Assert.Equal("web 2\n", await CliAsync(engine, "stats", "--no-stream", "--format", "{{.Name}} 2", "web"));
        Assert.Equal("web\n", await CliAsync(engine, "kill", "web"));
        Assert.Equal("other\n", await CliAsync(engine, "stop", "-t", "2", "other"));
        Assert.Equal("3\n", await CliAsync(engine, "wait", "done"));
        Assert.Equal("web\n", await CliAsync(engine, "rm", "web"));
        var (code, _, errors) = await DockerCli.RunAsync(engine, null, "exec", "web", "ls");
        // The command line of Debian 12 (20.10) leaves out who says it.
        Assert.Equal((1, "No such container: web"), (code, errors.Trim().Split("Error response from daemon: ")[^1].Split("Error: ")[^1]));
    }

    private static string Cut(string rows) => rows.Replace("\"", "", StringComparison.Ordinal);

    private static async Task<string> CliAsync(EngineFixture engine, params string[] arguments)
    {
        var (code, output, errors) = await DockerCli.RunAsync(engine, null, arguments);
        Assert.True(code == 0, $"docker {string.Join(' ', arguments)} ended with {code}: {errors}");
        return output;
    }

    private static byte[] Frame(byte stream, string text) => [stream, 0, 0, 0, 0, 0, 0, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    private static async Task<EngineFixture> StartAsync()
    {
        var engine = await EngineFixture.StartAsync();
        var now = DateTimeOffset.UtcNow;
        var web = FakeRuntime.Running("ab12", "web", r => r with { Labels = s_task });
        engine.Runtime.Existing.Add(web with { CreatedAt = now.AddMinutes(-1) });
        var other = FakeRuntime.Running("ab34", "other", r => r with { Mounts = [new Mount { Type = "volume", Source = "v", Target = "/data" }] });
        engine.Runtime.Existing.Add(other with { CreatedAt = now.AddMinutes(-2), Health = new ContainerHealth("healthy", 0, []) });
        engine.Runtime.Existing.Add(FakeRuntime.Running("cd", "done") with { State = ContainerState.Exited, Pid = 0, ExitCode = 3, CreatedAt = now.AddMinutes(-3), FinishedAt = now });
        engine.Runtime.Existing.Add(FakeRuntime.Running("ef", "new", r => r with { Labels = s_task }) with { State = ContainerState.Created, Pid = 0, CreatedAt = now.AddMinutes(-4), StartedAt = null });
        engine.Network.Sandboxes[web.Id] = new Sandbox(web.Id, "/run/netns/web")
        {
            Interfaces =
            [
                new SandboxInterface("eth0", "id1", "net1", "02:42:0a:00:01:05", ["10.0.1.5/24"]),
                new SandboxInterface("eth1", "gw", "docker_gwbridge", "02:42:ac:12:00:02", ["172.18.0.2/16"]),
            ],
            HostPorts = [new PortConfig { Protocol = "tcp", TargetPort = 54, PublishedPort = 9054 }],
        };
        return engine;
    }
}
