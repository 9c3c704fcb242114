using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Runtime;
using Skep.Daemon.Http;
using Skep.Daemon.Http.Events;
using Skep.Daemon.Swarm;
using Skep.KernelTests.Agent.Runtime;
using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Network;

namespace Skep.KernelTests.Daemon;

/// <summary>The unmodified docker CLI, the Engine API and a real containerd.</summary>
public sealed class CliOverContainerdTests(ContainerdFixture fixture) : IClassFixture<ContainerdFixture>
{
    private static CancellationToken Limit => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    [Fact]
    public async Task Commands_inside_a_container_give_all_their_output_and_their_code()
    {
        await using var runtime = await fixture.OpenAsync();
        var socket = Path.Combine(fixture.Folder, "engine.sock");
        await using var server = await EngineServer.StartAsync(Services(runtime), socket, "docker", Limit);
        var recipe = new ContainerRecipe
        {
            Id = RandomNumberGenerator.GetHexString(64, lowercase: true),
            Name = "web",
            Image = ContainerdFixture.ImageName,
            Command = ["sh", "-c", "echo started; exec sleep 10000"],
        };
        await runtime.CreateAsync(recipe, Limit);
        await runtime.StartAsync(recipe.Id, Limit);

        for (var round = 0; round < 10; round++)
        {
            Assert.Equal((0, $"{round}\n", ""), await CliAsync(socket, null, "exec", "web", "echo", $"{round}"));
        }

        Assert.Equal((7, "out\n", "err\n"), await CliAsync(socket, null, "exec", "web", "sh", "-c", "echo out; echo err >&2; exit 7"));
        Assert.Equal((0, "one\ntwo\n", ""), await CliAsync(socket, "one\ntwo\n", "exec", "-i", "web", "cat"));
        Assert.Equal((0, "", ""), await CliAsync(socket, new string('x', 1 << 20), "exec", "-i", "web", "true"));
        var flood = await CliAsync(socket, null, "exec", "web", "sh", "-c", "yes | head -n 200000");
        Assert.Equal((0, 400000), (flood.Code, flood.Output.Length));
        var missing = await CliAsync(socket, null, "exec", "web", "nosuch");
        Assert.True(missing.Code is 126 or 127, $"ended with {missing.Code}");
        Assert.Contains("executable file not found in $PATH", missing.Output + missing.Errors, StringComparison.Ordinal);
        Assert.Equal((0, "1000\n1\n", ""), await CliAsync(socket, null, "exec", "-u", "bee", "-e", "A=1", "web", "sh", "-c", "id -u; echo $A"));

        Assert.Equal((0, "started\n", ""), await CliAsync(socket, null, "logs", "web"));
        var top = await CliAsync(socket, null, "top", "web");
        Assert.Contains("sleep 10000", top.Output, StringComparison.Ordinal);
        var stats = await CliAsync(socket, null, "stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}} {{.MemUsage}}", "web");
        Assert.StartsWith("web 1 ", stats.Output, StringComparison.Ordinal);
        Assert.Equal((0, "web\n", ""), await CliAsync(socket, null, "stop", "-t", "1", "web"));
        Assert.Equal((0, "web\n", ""), await CliAsync(socket, null, "rm", "web"));
    }

    private static async Task<(int Code, string Output, string Errors)> CliAsync(string socket, string? input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("docker", ["-H", "unix://" + socket, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The command ended without reading it all.
        }

        await process.WaitForExitAsync(Limit);
        return (process.ExitCode, await output, await errors);
    }

    private EngineServices Services(IContainerRuntime runtime) => new()
    {
        Swarm = new NoSwarm(),
        Network = new NoNetwork(),
        Containers = runtime,
        Images = fixture.Images,
        Events = new EngineEvents(),
        Clock = TimeProvider.System,
        Logging = NullLoggerFactory.Instance,
        Identity = new EngineIdentity { Id = "test", DataRoot = fixture.Options.DataRoot },
    };

    private sealed class NoSwarm : ISwarmNode
    {
        public SwarmMembership Membership { get; } = new();
        public ManagerPart? Manager => null;
        public Task<string> InitAsync(SwarmInit request, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task JoinAsync(SwarmJoin request, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task LeaveAsync(bool force, CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    private sealed class NoNetwork : INodeNetwork
    {
        public Watched<ulong> AppliedRevision { get; } = new(0, (_, _) => false);
        public Watched<string> CipherGeneration { get; } = new("", (_, _) => false);
        public void Submit(NodePlan plan, PlanDelta? delta) => throw new NotSupportedException();
        public Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Task DetachAsync(string containerId, CancellationToken cancellationToken) => throw new NotSupportedException();
        public Sandbox? FindSandbox(string containerId) => null;
        public SandboxTraffic? TrafficOf(string containerId) => null;
        public LocalNetwork? Describe(string networkId) => null;
        public LocalNetwork? DescribeGatewayBridge() => null;
    }
}
