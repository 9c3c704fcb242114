using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Skep.EndToEndTests.Lab;
using Skep.Kernel.Namespaces;
using Skep.Lab;

namespace Skep.EndToEndTests.Swarm;

/// <summary>A swarm of three real machines (node1 leads), driven by the docker CLI. Node numbers count from 1.</summary>
public sealed class SwarmLab : IAsyncLifetime
{
    private readonly int _nodes = 3;
    private readonly string[] _options = [];

    /// <summary>The demo image: a web server at port 3000 that tells its host name and its client's address.</summary>
    public const string Image = "skep-demo";

    public SwarmLab()
    {
    }

    private SwarmLab(int nodes, string[] options) => (_nodes, _options) = (nodes, options);

    public string Name { get; } = $"e2e-{Guid.NewGuid().ToString("n")[..8]}";

    /// <summary>A lab of a test's own, for what would ruin the shared one.</summary>
    public static async Task<SwarmLab> UpAsync(int nodes, params string[] options)
    {
        var lab = new SwarmLab(nodes, options);
        await lab.InitializeAsync();
        return lab;
    }

    public async ValueTask InitializeAsync()
    {
        await Door.MustAsync(["lab", "up", "--name", Name, "--nodes", $"{_nodes}", .. _options]);
        using var image = await DemoImage.BuildAsync(TestContext.Current.CancellationToken);
        foreach (var node in Enumerable.Range(1, _nodes))
        {
            await ImportAsync(node, Image, image, DemoImage.Command);
        }
    }

    /// <summary>Makes an image of a root file system in a tar archive, as <c>docker import</c> does.</summary>
    public async Task ImportAsync(int node, string image, MemoryStream archive, string change)
    {
        using var api = Api(node);
        using var body = new ByteArrayContent(archive.ToArray());
        body.Headers.ContentType = new("application/x-tar");
        var query = new Uri($"images/create?fromSrc=-&repo={image}&tag=latest&changes={Uri.EscapeDataString(change)}", UriKind.Relative);
        using var answer = await api.PostAsync(query, body, TestContext.Current.CancellationToken);
        var said = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode && !said.Contains("errorDetail", StringComparison.Ordinal), said);
    }

    public async ValueTask DisposeAsync() => await Door.MustAsync("lab", "down", "--name", Name);

    public Task LabAsync(string verb, params string[] words) => Door.MustAsync(["lab", verb, "--name", Name, .. words]);

    public Task<(int Status, string Output, string Error)> TryAsync(int node, string[] command, string input = "") =>
        Door.RunAsync(["lab", "exec", "--name", Name, $"{node}", "--", "timeout", "60", .. command], input);

    public async Task<string> OnAsync(int node, params string[] command)
    {
        var (status, output, error) = await TryAsync(node, command);
        Assert.True(status == 0, $"node{node}: {string.Join(' ', command)}: {status}\n{output}{error}");
        return output.Trim();
    }

    public Task<string> ShellAsync(int node, string script) => OnAsync(node, "sh", "-c", script);

    /// <summary>Starts a command whose lines are read while it runs; killing it ends the command too.</summary>
    public Process Start(int node, params string[] command) => Door.Start(["lab", "exec", "--name", Name, $"{node}", "--", .. command]);

    /// <summary>
    /// Standard output of a docker command on node1 that must succeed. An update of a node is read, changed and written back by the command line, and
    /// is refused when the node's own report comes between; whoever types it types it again.
    /// </summary>
    public async Task<string> DockerAsync(params string[] words)
    {
        while (true)
        {
            var (status, output, error) = await TryAsync(1, ["docker", .. words]);
            if (status == 0)
            {
                return output.Trim();
            }

            Assert.True(words is ["node", "update", ..] && error.Contains("update out of sequence", StringComparison.Ordinal), $"docker {string.Join(' ', words)}: {status}\n{output}{error}");
        }
    }

    /// <summary>What the CLI says on standard error when a command must fail.</summary>
    public async Task<string> RefusedAsync(int node, params string[] words)
    {
        var (status, output, error) = await TryAsync(node, ["docker", .. words]);
        Assert.True(status != 0, $"docker {string.Join(' ', words)} was not refused: {output}{error}");
        return (output + error).Trim();
    }

    public async Task<JsonArray> InspectAsync(params string[] words) => JsonNode.Parse(await DockerAsync(words))!.AsArray();

    /// <summary>Polls until the condition holds; the failure tells what was last seen.</summary>
    public async Task<string> UntilAsync(string what, int seconds, Func<Task<string>> look, Func<string, bool> holds)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var seen = await look();
            if (holds(seen))
            {
                return seen;
            }

            Assert.True(Stopwatch.GetElapsedTime(began).TotalSeconds < seconds, $"{what}: not within {seconds} s; last seen:\n{seen}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    public Task<string> UntilAsync(string what, int seconds, Func<Task<bool>> holds) =>
        UntilAsync(what, seconds, async () => await holds() ? "yes" : "no", seen => seen == "yes");

    /// <summary>The running tasks of a service: slot or node, container, process and machine of each.</summary>
    public async Task<IReadOnlyList<RunningTask>> TasksAsync(string service)
    {
        var ids = await DockerAsync("service", "ps", "-q", "--no-trunc", "--filter", "desired-state=running", service);
        if (ids.Length == 0)
        {
            return [];
        }

        var tasks = await InspectAsync(["inspect", "--type", "task", .. ids.Split('\n')]);
        var nodes = (await InspectAsync(["node", "inspect", .. Enumerable.Range(1, _nodes).Select(node => $"node{node}")]))
            .ToDictionary(node => (string)node!["ID"]!, node => int.Parse(((string)node!["Description"]!["Hostname"]!)[4..]));
        return [.. tasks.Where(task => (string?)task!["Status"]!["State"] == "running").Select(task => new RunningTask(
            (string)task!["ID"]!,
            (int?)task["Slot"] ?? 0,
            nodes[(string)task["NodeID"]!],
            (string)task["Status"]!["ContainerStatus"]!["ContainerID"]!,
            (int?)task["Status"]!["ContainerStatus"]!["PID"] ?? 0))];
    }

    public async Task<IReadOnlyList<RunningTask>> RunningAsync(string service, int count, int seconds = 20)
    {
        IReadOnlyList<RunningTask> tasks = [];
        await UntilAsync(
            $"{count} tasks of {service} run", seconds,
            async () =>
            {
                tasks = await TasksAsync(service);
                return tasks.Count == count ? "" : await DockerAsync("service", "ps", "--no-trunc", service);
            },
            seen => seen.Length == 0);
        return tasks;
    }

    public Task<string> ReadyAsync(int count) => UntilAsync(
        $"{count} nodes ready", 30,
        async () => (await TryAsync(1, ["docker", "node", "ls", "--format", "{{.Hostname}} {{.Status}}"])).Output,
        seen => seen.Split('\n').Count(line => line.EndsWith(" Ready", StringComparison.Ordinal)) == count);

    /// <summary>What a service's published port answers at a machine; empty when it does not.</summary>
    public async Task<string> AskAsync(int node, int port, string path = "cgi-bin/whoami") =>
        (await TryAsync(node, ["curl", "-fsm", "2", $"http://127.0.0.1:{port}/{path}"])).Output.Trim();

    /// <summary>The answers of several requests in one go.</summary>
    public async Task<string[]> AskAsync(int node, int port, int times, string path = "cgi-bin/whoami") =>
        (await ShellAsync(node, $"for i in $(seq {times}); do curl -fsm 2 http://127.0.0.1:{port}/{path} || echo failed; done"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The same from this machine, which is outside the swarm.</summary>
    public async Task<string> AskFromOutsideAsync(int node, int port, string path)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(3) };
        return await http.GetStringAsync(new Uri($"http://{await AddressAsync(node)}:{port}/{path}"), TestContext.Current.CancellationToken);
    }

    public async Task<string> AddressAsync(int node) => (string)(await ListAsync())[node - 1]!["Address"]!;

    /// <summary>The network namespace of a machine, to send from as the machine itself.</summary>
    public NetworkNamespace NetworkOf(int node) => NetworkNamespace.OfProcess(ProcessOf(node));

    /// <summary>The network namespace of a task's container.</summary>
    public NetworkNamespace NetworkOf(RunningTask task) =>
        NetworkNamespace.Open($"/proc/{ProcessOf(task.Node)}/root/run/docker/netns/{task.Container[..12]}");

    /// <summary>The first virtual address that a service has on a network.</summary>
    public async Task<string> VipAsync(string service, string network)
    {
        var id = await DockerAsync("network", "inspect", network, "--format", "{{.ID}}");
        var ips = JsonNode.Parse(await DockerAsync("service", "inspect", service, "--format", "{{json .Endpoint.VirtualIPs}}"))!.AsArray();
        return ((string)ips.First(ip => (string)ip!["NetworkID"]! == id)!["Addr"]!).Split('/')[0];
    }

    /// <summary>The machines that are off or whose daemon is down.</summary>
    public async Task<IReadOnlyList<int>> NotUpAsync()
    {
        var states = (await ListAsync()).Select(row => (string?)row!["State"]).ToList();
        return [.. Enumerable.Range(1, _nodes).Where(node => states[node - 1] is "off" or "daemon down")];
    }

    // The process that holds the machine's namespaces, as this machine knows it.
    private int ProcessOf(int node) => int.Parse(File.ReadAllText($"/var/lib/skep-lab/{Name}/node{node}/machine").Split(' ')[0]);

    private async Task<JsonArray> ListAsync() => JsonNode.Parse(await Door.MustAsync("lab", "ls", "--name", Name, "--format", "json"))!.AsArray();

    /// <summary>Removes services and waits until none of their containers is left on any machine.</summary>
    public async Task RemoveAsync(params string[] services)
    {
        await DockerAsync(["service", "rm", .. services]);
        foreach (var node in Enumerable.Range(1, _nodes))
        {
            await UntilAsync(
                $"no container of {string.Join(", ", services)} on node{node}", 30,
                () => OnAsync(node, ["docker", "ps", "-a", "--format", "{{.Names}}"]),
                seen => !seen.Split('\n').Any(name => services.Any(service => name.StartsWith(service + ".", StringComparison.Ordinal))));
        }
    }

    /// <summary>A client of a machine's Engine API, for what the CLI would not send.</summary>
    public HttpClient Api(int node) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint($"/run/skep-lab/{Name}/node{node}.sock"), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://docker/v1.47/"),
    };
}
