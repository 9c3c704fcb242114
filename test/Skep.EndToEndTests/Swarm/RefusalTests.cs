using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Skep.EndToEndTests.Swarm;

/// <summary>Mistakes get the answers that a real swarm gives (reference transcripts of Docker 28), and leave nothing behind.</summary>
[Collection(SharedSwarm.Name)]
public sealed class RefusalTests(SwarmLab lab)
{
    private const string RpcInvalid = "Error response from daemon: rpc error: code = InvalidArgument desc = ";
    private static readonly string[] s_create = ["service", "create", "-d", "--name", "bad"];

    public static TheoryData<string, string[]> WrongServices { get; } = new()
    {
        { RpcInvalid + "name must be valid as a DNS name component", ["--name", "_bad", SwarmLab.Image] },
        { RpcInvalid + "ContainerSpec: \"Bad Image\" is not a valid repository/tag", ["Bad Image"] },
        { RpcInvalid + "ContainerSpec: \"busybox:bad:tag\" is not a valid repository/tag", ["busybox:bad:tag"] },
        { RpcInvalid + "EndpointSpec: port published with ingress mode can't be used with dnsrr mode", ["--endpoint-mode", "dnsrr", "-p", "8090:80", SwarmLab.Image] },
        { RpcInvalid + "EndpointSpec: duplicate published ports provided", ["-p", "8091:80", "-p", "8091:81", SwarmLab.Image] },
        { RpcInvalid + "invalid cpu value 0.0001: Must be at least 0.001", ["--limit-cpu", "0.0001", SwarmLab.Image] },
        { RpcInvalid + "invalid memory value 1048576: Must be at least 4MiB", ["--limit-memory", "1M", SwarmLab.Image] },
        { RpcInvalid + "TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1", ["--update-max-failure-ratio", "2", SwarmLab.Image] },
        { RpcInvalid + "ContainerSpec: Interval in HealthConfig cannot be less than 1ms", ["--health-interval", "1us", SwarmLab.Image] },
        { RpcInvalid + "Service cannot be explicitly attached to the ingress network \"ingress\"", ["--network", "ingress", SwarmLab.Image] },
        { "Error response from daemon: rpc error: code = InvalidArgument desc = constraint expected one operator from ==, !=", ["--constraint", "bogus", SwarmLab.Image] },
        { "Error response from daemon: network nosuch not found", ["--network", "nosuch", SwarmLab.Image] },
        { "Error response from daemon: invalid resolution mode: \"bogus\"", ["--endpoint-mode", "bogus", SwarmLab.Image] },
        { "Error response from daemon: invalid MountType: \"bogus\"", ["--mount", "type=bogus,target=/x", SwarmLab.Image] },
        { "Error response from daemon: invalid RestartCondition: \"bogus\"", ["--restart-condition", "bogus", SwarmLab.Image] },
        { "Error response from daemon: unrecognized update failure action bogus", ["--update-failure-action", "bogus", SwarmLab.Image] },
        { "Error response from daemon: unrecognized update order bogus", ["--update-order", "bogus", SwarmLab.Image] },
    };

    public static TheoryData<int, string, string[]> WrongNames { get; } = new()
    {
        { 1, "Error response from daemon: node nosuch not found", ["node", "rm", "nosuch"] },
        { 1, "Error response from daemon: service nosuch not found", ["service", "rm", "nosuch"] },
        { 1, "no such service: nosuch", ["service", "ps", "nosuch"] },
        { 1, "Error response from daemon: network nosuch not found", ["network", "rm", "nosuch"] },
        { 1, "Error response from daemon: rpc error: code = FailedPrecondition desc = attempting to demote the last manager of the swarm", ["node", "demote", "node1"] },
        { 1, "is not down and can't be removed", ["node", "rm", "node2"] },
        { 1, "Error response from daemon: You are attempting to leave the swarm on a node that is participating as a manager. Removing the last manager erases all current state of the swarm. Use `--force` to ignore this message.", ["swarm", "leave"] },
        { 1, "This node is already part of a swarm. Use \"docker swarm leave\" to leave this swarm and join another one.", ["swarm", "init"] },
        { 2, "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state.", ["node", "ls"] },
        { 2, "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state.", ["service", "create", SwarmLab.Image] },
        { 2, "This node is already part of a swarm.", ["swarm", "join", "--token", "SWMTKN-1-any", "10.77.0.1:2377"] },
        { 1, "Error response from daemon: No such container: nosuch", ["exec", "nosuch", "true"] },
    };

    [Theory]
    [MemberData(nameof(WrongServices))]
    public async Task AWrongServiceIsRefusedWithDockersWordsAndNotKept(string words, string[] arguments)
    {
        Assert.StartsWith(words, ClientWords.Newer(await lab.RefusedAsync(1, [.. s_create, .. arguments])), StringComparison.Ordinal);

        Assert.Equal("", await lab.DockerAsync("service", "ls", "-q"));
    }

    [Theory]
    [MemberData(nameof(WrongNames))]
    public async Task WhatIsNotThereOrNotAllowedIsNamed(int node, string words, string[] command) =>
        Assert.Contains(words, ClientWords.Newer(await lab.RefusedAsync(node, command)), StringComparison.Ordinal);

    [Fact]
    public async Task NamesAndPortsBelongToTheFirst()
    {
        var id = await lab.DockerAsync("service", "create", "-d", "--name", "first", "-p", "8081:80", SwarmLab.Image);
        try
        {
            Assert.Equal(
                "Error response from daemon: rpc error: code = AlreadyExists desc = name conflicts with an existing object: service first already exists",
                await lab.RefusedAsync(1, "service", "create", "-d", "--name", "first", SwarmLab.Image));
            Assert.Equal(
                $"{RpcInvalid}port '8081' is already in use by service 'first' ({id}) as an ingress port",
                await lab.RefusedAsync(1, "service", "create", "-d", "--name", "second", "-p", "8081:80", SwarmLab.Image));
        }
        finally
        {
            await lab.RemoveAsync("first");
        }
    }

    [Fact]
    public async Task SubnetsMustBeWholeAndPlausible()
    {
        await lab.DockerAsync("network", "create", "-d", "overlay", "--subnet", "10.90.0.0/24", "n90");
        try
        {
            Assert.Contains("n90 already exists", await lab.RefusedAsync(1, "network", "create", "-d", "overlay", "n90"), StringComparison.Ordinal);
            await lab.RefusedAsync(1, "network", "create", "-d", "overlay", "--subnet", "10.90.0.0/33", "n92");
            await lab.RefusedAsync(1, "network", "create", "-d", "overlay", "--subnet", "10.92.0.0/24", "--gateway", "10.93.0.1", "n93");
            Assert.DoesNotContain("n9", (await lab.DockerAsync("network", "ls", "--format", "{{.Name}}")).Replace("n90", "", StringComparison.Ordinal), StringComparison.Ordinal);
        }
        finally
        {
            await lab.DockerAsync("network", "rm", "n90");
        }
    }

    [Fact]
    public async Task WhatCannotBePlacedOrPulledTellsWhyInServicePs()
    {
        await lab.DockerAsync("service", "create", "-d", "--name", "nowhere", "--constraint", "node.labels.no==where", SwarmLab.Image);
        await lab.DockerAsync("service", "create", "-d", "--name", "huge", "--reserve-memory", "900G", SwarmLab.Image);
        await lab.DockerAsync("service", "create", "-d", "--name", "unpulled", "127.0.0.1:9/no/such:1");
        try
        {
            await SaysAsync("nowhere", "no suitable node (scheduling constraints not satisfied on 3 nodes)");
            await SaysAsync("huge", "no suitable node (insufficient resources on 3 nodes)");
            await SaysAsync("unpulled", "http://127.0.0.1:9/v2/no/such/manifests/1");
        }
        finally
        {
            await lab.RemoveAsync("nowhere", "huge", "unpulled");
        }

        Task SaysAsync(string service, string reason) => lab.UntilAsync(
            $"{service} says why", 20,
            () => lab.DockerAsync("service", "ps", "--no-trunc", "--format", "{{.CurrentState}}|{{.Error}}", service),
            seen => seen.Contains(reason, StringComparison.Ordinal));
    }

    [Fact]
    public async Task BodiesThatAreNoJsonAreRefusedAndTheConnectionGoesOn()
    {
        using var api = lab.Api(1);
        using var notJson = new StringContent("{not json", Encoding.UTF8, "application/json");
        using var list = new StringContent("[1,2]", Encoding.UTF8, "application/json");
        using var noType = new StringContent("{}", Encoding.UTF8, "text/plain");
        using var deep = new StringContent(new string('[', 100_000), Encoding.UTF8, "application/json");

        foreach (var body in new[] { notJson, list, noType, deep })
        {
            using var answer = await api.PostAsync(new Uri("services/create", UriKind.Relative), body, TestContext.Current.CancellationToken);
            Assert.InRange((int)answer.StatusCode, 400, 499);
            Assert.Contains("message", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }

        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync(new Uri("_ping", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task AllMistakesOfARequestAreToldAtOnce()
    {
        var said = await lab.RefusedAsync(1, [.. s_create, "--name", "_bad", "--limit-cpu", "0.0001", "--update-max-failure-ratio", "2", "-p", "8091:80", "-p", "8091:81", SwarmLab.Image]);

        foreach (var words in new[] { "valid as a DNS name", "invalid cpu value", "update-maxfailureratio", "duplicate published ports" })
        {
            Assert.Contains(words, said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ARequestOfTenMegabytesIsRefusedWithItsLimit()
    {
        var said = await lab.ShellAsync(
            1,
            "head -c 10000000 /dev/zero | tr '\\0' a | curl -s -w '%{http_code}' --unix-socket /run/docker.sock -H 'Content-Type: application/json' -H Expect: --data-binary @- http://docker/v1.47/services/create");

        Assert.Equal("{\"message\":\"Request body too large. The max request body size is 8388608 bytes.\"}\n413", said);
    }

    [Fact]
    public async Task AHalfClosedOrAbandonedRequestHarmsNobody()
    {
        for (var i = 0; i < 50; i++)
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint($"/run/skep-lab/{lab.Name}/node1.sock"), TestContext.Current.CancellationToken);
            await socket.SendAsync("POST /v1.47/services/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"Na"u8.ToArray());
            socket.Shutdown(SocketShutdown.Send);
        }

        Assert.Equal("", await lab.DockerAsync("service", "ls", "-q"));
    }
}
