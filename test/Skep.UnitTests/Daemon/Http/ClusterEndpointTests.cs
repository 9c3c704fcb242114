using System.Text;
using System.Text.Json;
using Skep.Daemon.Http.Events;
using Skep.Manager.Dispatch;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.States;
using Skep.Network;

namespace Skep.UnitTests.Daemon.Http;

public sealed class ClusterEndpointTests
{
    private const string Web = """{"Name":"web","Labels":null,"TaskTemplate":{"ContainerSpec":{"Image":"busybox"}},"Mode":{"Replicated":{"Replicas":2}},"EndpointSpec":{"Mode":"vip","Ports":[{"Protocol":"tcp","TargetPort":80,"PublishedPort":8080,"PublishMode":"ingress"}]}}""";

    [Theory]
    [InlineData("inactive", false, "Use \"docker swarm init\"")]
    [InlineData("active", false, "Worker nodes can't be used to view or modify cluster state")]
    [InlineData("active", true, "Manager is being prepared")]
    [InlineData("pending", false, "Manager is being prepared")]
    [InlineData("locked", false, "Swarm is encrypted and needs to be unlocked")]
    public async Task Without_a_manager_it_says_why(string state, bool control, string part)
    {
        await using var engine = await EngineFixture.StartAsync();
        engine.Swarm.Membership = new() { State = state, ControlAvailable = control };
        var (status, body) = await engine.SendAsync("GET", "/v1.50/services");
        Assert.Equal(503, status);
        Assert.Contains(part, body.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_problems_of_a_request_are_told_at_once()
    {
        await using var engine = await EngineFixture.StartManagerAsync();
        var (status, body) = await engine.SendAsync("POST", "/v1.50/services/create", """{"Name":"a b","TaskTemplate":{"ContainerSpec":{"Image":"x/UPPER"},"Resources":{"Limits":{"MemoryBytes":1048576}}}}""");
        Assert.Equal(400, status);
        var message = body.GetProperty("message").GetString();
        Assert.Equal(
            "rpc error: code = InvalidArgument desc = name must be valid as a DNS name component; invalid memory value 1048576: Must be at least 4MiB; " +
            "ContainerSpec: \"x/UPPER\" is not a valid repository/tag",
            message);
        Assert.Empty(engine.Store.Current.Services);
    }

    [Fact]
    public async Task Updates_keep_the_previous_wish_and_refuse_a_stale_version()
    {
        await using var engine = await EngineFixture.StartManagerAsync();
        var (created, answer) = await engine.SendAsync("POST", "/v1.50/services/create", Web);
        Assert.Equal(201, created);
        var id = answer.GetProperty("ID").GetString()!;
        var service = await engine.GetAsync($"/v1.50/services/{id}");
        var version = service.GetProperty("Version").GetProperty("Index").GetUInt64();
        var path = $"/v1.50/services/web/update?version={version}";
        Assert.Equal(200, (await engine.SendAsync("POST", path, Web.Replace("busybox", "nginx", StringComparison.Ordinal))).Status);
        var (status, stale) = await engine.SendAsync("POST", path, Web);
        Assert.Equal((500, "rpc error: code = Unknown desc = update out of sequence"), (status, stale.GetProperty("message").GetString()));
        var stored = engine.Store.Current.Services[id];
        Assert.Equal(("nginx", "busybox"), (stored.Spec.TaskTemplate.ContainerSpec!.Image, stored.PreviousSpec!.TaskTemplate.ContainerSpec!.Image));
        Assert.Equal((version, 0UL), (stored.SpecVersion, stored.PreviousSpecVersion));
    }

    [Fact]
    public async Task Credentials_are_kept_and_never_shown()
    {
        await using var engine = await EngineFixture.StartManagerAsync();
        engine.Http.DefaultRequestHeaders.Add("X-Registry-Auth", "c2VjcmV0");
        await engine.SendAsync("POST", "/v1.50/services/create", Web);
        engine.Http.DefaultRequestHeaders.Remove("X-Registry-Auth");
        var service = await engine.GetAsync("/v1.50/services/web");
        Assert.DoesNotContain("c2VjcmV0", service.ToString(), StringComparison.Ordinal);
        var version = service.GetProperty("Version").GetProperty("Index").GetUInt64();
        await engine.SendAsync("POST", $"/v1.50/services/web/update?version={version}&registryAuthFrom=spec", Web);
        Assert.Equal("c2VjcmV0", engine.Store.Current.Services.Values.Single().Spec.TaskTemplate.ContainerSpec!.PullOptions!.RegistryAuth);
    }

    [Fact]
    public async Task Defaults_are_shown_when_asked_for_and_not_stored()
    {
        await using var engine = await EngineFixture.StartManagerAsync();
        await engine.SendAsync("POST", "/v1.50/services/create", Web);
        var bare = (await engine.GetAsync("/v1.50/services/web?insertDefaults=false")).GetProperty("Spec");
        Assert.Equal(["Name", "Labels", "TaskTemplate", "Mode", "EndpointSpec"], Keys(bare));
        Assert.Equal(["ContainerSpec", "ForceUpdate"], Keys(bare.GetProperty("TaskTemplate")));
        var full = (await engine.GetAsync("/v1.50/services/web?insertDefaults=true")).GetProperty("Spec");
        Assert.Equal("""{"Parallelism":1,"FailureAction":"pause","Monitor":5000000000,"MaxFailureRatio":0,"Order":"stop-first"}""", full.GetProperty("UpdateConfig").ToString());
        Assert.Equal("""{"Condition":"any","Delay":5000000000,"MaxAttempts":0}""", full.GetProperty("TaskTemplate").GetProperty("RestartPolicy").ToString());
    }

    [Fact]
    public async Task Tasks_are_shown_in_the_engines_shape()
    {
        await using var engine = await EngineFixture.StartManagerAsync();
        var id = (await engine.SendAsync("POST", "/v1.50/services/create", Web)).Body.GetProperty("ID").GetString()!;
        var task = new SwarmTask
        {
            Id = "task1task1task1task1task1",
            ServiceId = id,
            ServiceName = "web",
            Slot = 1,
            NodeId = Fakes.FakeSwarmNode.NodeId,
            Spec = engine.Store.Current.Services[id].Spec.TaskTemplate,
            Endpoint = engine.Store.Current.Services[id].Spec.EndpointSpec,
            Status = new() { State = TaskState.Running, Message = "started", Container = new() { ContainerId = "c", Pid = 5 } },
            Attachments = [new TaskAttachment("ingress1ingress1ingress11", ["10.0.0.5/24"])],
        };
        await engine.Store.CommitAsync(new StoreTransaction().Create(task), default);
        var shown = await engine.GetAsync("/v1.50/tasks?filters=" + Uri.EscapeDataString("""{"service":{"web":true},"_up-to-date":{"true":true}}"""));
        var one = Assert.Single(shown.EnumerateArray());
        Assert.Equal(["ID", "Version", "CreatedAt", "UpdatedAt", "Labels", "Spec", "ServiceID", "Slot", "NodeID", "Status", "DesiredState", "NetworksAttachments"], Keys(one));
        Assert.Equal("""{"ContainerID":"c","PID":5,"ExitCode":0}""", one.GetProperty("Status").GetProperty("ContainerStatus").ToString());
        var attachment = one.GetProperty("NetworksAttachments")[0];
        Assert.Equal(["ID", "Version", "CreatedAt", "UpdatedAt", "Spec", "DriverState", "IPAMOptions"], Keys(attachment.GetProperty("Network")));
        Assert.Equal(1, (await engine.GetAsync("/v1.50/services?status=true"))[0].GetProperty("ServiceStatus").GetProperty("RunningTasks").GetInt32());
        Assert.Equal(404, (await engine.SendAsync("GET", "/v1.50/tasks?filters=" + Uri.EscapeDataString("""{"service":{"nosuch":true}}"""))).Status);
    }

    [Fact]
    public async Task A_services_receipts_are_shown_the_latest_first()
    {
        await using var engine = await EngineFixture.StartManagerAsync();
        var id = (await engine.SendAsync("POST", "/v1.50/services/create", Web)).Body.GetProperty("ID").GetString()!;
        Assert.DoesNotContain("Drains", Keys(await engine.GetAsync("/v1.50/services/web")));
        SwarmTask Ended(string task, int second, TaskDrain? drain) => new()
        {
            Id = task,
            ServiceId = id,
            ServiceName = "web",
            Slot = 2,
            NodeId = Fakes.FakeSwarmNode.NodeId,
            Spec = engine.Store.Current.Services[id].Spec.TaskTemplate,
            DesiredState = TaskState.Shutdown,
            Status = new() { State = TaskState.Shutdown, Timestamp = DateTimeOffset.FromUnixTimeSeconds(second), Drain = drain },
        };
        await engine.Store.CommitAsync(
            new StoreTransaction()
                .Create(Ended("early", 100, new TaskDrain { Revision = 7, Confirmed = ["node1"], Unconfirmed = ["node3"], FlowsAtStart = 3, FlowsLeft = 1, Took = 2_000_000_000 }))
                .Create(Ended("late", 200, new TaskDrain { Revision = 9, Confirmed = ["node1", "node3"] }))
                .Create(Ended("failed", 300, null)),
            default);

        var service = engine.Store.Current.Services[id];
        await engine.Store.CommitAsync(
            new StoreTransaction().Update(service with { UpdateStatus = new UpdateStatus { State = UpdateState.Completed, StartedAt = DateTimeOffset.FromUnixTimeSeconds(90), Message = "update completed" } }), default);

        var shown = await engine.GetAsync("/v1.50/services/web");
        Assert.Equal("update completed; 2 tasks drained, 1 of them confirmed by all nodes, 1 flow cut", shown.GetProperty("UpdateStatus").GetProperty("Message").GetString());
        var drains = shown.GetProperty("Drains");
        Assert.Equal(["web.2.late", "web.2.early"], drains.EnumerateArray().Select(drain => drain.GetProperty("Task").GetString()!));
        Assert.Equal(
            """{"Task":"web.2.early","Node":"node1","Timestamp":"1970-01-01T00:01:40Z","Drain":{"Revision":7,"Confirmed":["node1"],"Unconfirmed":["node3"],"FlowsAtStart":3,"FlowsLeft":1,"Took":2000000000}}""",
            drains[1].ToString());
        Assert.DoesNotContain("Drains", Keys((await engine.GetAsync("/v1.50/services"))[0]));
    }

    [Fact]
    public async Task Objects_have_the_keys_that_clients_know()
    {
        await using var engine = await EngineFixture.StartManagerAsync();
        Assert.Equal(
            ["ID", "Version", "CreatedAt", "UpdatedAt", "Spec", "TLSInfo", "RootRotationInProgress", "DefaultAddrPool", "SubnetSize", "DataPathPort", "JoinTokens"],
            Keys(await engine.GetAsync("/v1.50/swarm")));
        Assert.Equal(
            ["ID", "Version", "CreatedAt", "UpdatedAt", "Spec", "Description", "Status", "ManagerStatus"], Keys(await engine.GetAsync("/v1.50/nodes/node1")));
        Assert.Equal(
            ["Name", "Id", "Created", "Scope", "Driver", "EnableIPv4", "EnableIPv6", "IPAM", "Internal", "Attachable", "Ingress", "ConfigFrom", "ConfigOnly", "Containers", "Options", "Labels"],
            Keys(await engine.GetAsync("/v1.50/networks/ingress")));
        Assert.Equal("active", (await engine.GetAsync("/v1.50/info")).GetProperty("Swarm").GetProperty("LocalNodeState").GetString());
        Assert.Equal(["bridge", "host", "none"], (await engine.GetAsync("/v1.50/networks?filters=" + Uri.EscapeDataString("""{"scope":["local"]}"""))).EnumerateArray().Select(n => n.GetProperty("Name").GetString()!));
    }

    [Fact]
    public async Task A_worker_lists_and_shows_the_networks_that_it_takes_part_in()
    {
        await using var engine = await EngineFixture.StartAsync();
        engine.Swarm.Membership = new() { State = "active", ControlAvailable = false };
        engine.Network.Networks["net1net1net1net1net1net1n"] = new LocalNetwork("net1net1net1net1net1net1n", "net1")
        {
            Subnet = "100.0.0.0/24",
            Plan = new PlanNetwork("net1net1net1net1net1net1n", "net1", 4097, [new() { Subnet = "100.0.0.0/24", Gateway = "100.0.0.1" }]) { Encrypted = true },
            Endpoints = [new LocalEndpoint("ingress-sbox", "ingress-endpoint", "e1", "02:42:64:00:00:03", "100.0.0.3/24")],
            Peers = [new PlanPeer("net1net1net1net1net1net1n", "n1", "10.99.0.1") { Hostname = "node1" }],
        };

        var names = (await engine.GetAsync("/v1.50/networks")).EnumerateArray().Select(n => $"{n.GetProperty("Name")} {n.GetProperty("Driver")} {n.GetProperty("Scope")}");
        Assert.Equal(["net1 overlay swarm", "bridge bridge local", "host host local", "none null local"], names);
        foreach (var reference in new[] { "net1", "net1net1net1net1net1net1n", "net1net1" })
        {
            var shown = await engine.GetAsync($"/v1.50/networks/{reference}");
            Assert.Equal(
                """{"Driver":"default","Options":null,"Config":[{"Subnet":"100.0.0.0/24","Gateway":"100.0.0.1"}]}""", shown.GetProperty("IPAM").ToString());
            Assert.Equal("""{"com.docker.network.driver.overlay.vxlanid_list":"4097","encrypted":""}""", shown.GetProperty("Options").ToString());
            Assert.Equal("ingress-endpoint", shown.GetProperty("Containers").GetProperty("ingress-sbox").GetProperty("Name").GetString());
            Assert.Equal("""[{"Name":"node1","IP":"10.99.0.1"}]""", shown.GetProperty("Peers").ToString());
        }

        // To change them it takes a manager.
        Assert.Equal(503, (await engine.SendAsync("DELETE", "/v1.50/networks/net1")).Status);
    }

    [Fact]
    public async Task Logs_carry_the_ids_that_the_cli_takes_apart()
    {
        await using var engine = await EngineFixture.StartManagerAsync();
        var id = (await engine.SendAsync("POST", "/v1.50/services/create", Web)).Body.GetProperty("ID").GetString()!;
        engine.Logs.Messages.Add(new ServiceLogMessage("n", id, "t", DateTimeOffset.UnixEpoch, 2, "hello\n"u8.ToArray()));
        using var response = await engine.Http.GetAsync("/v1.50/services/web/logs?stdout=1&stderr=1&details=1&timestamps=1&tail=7");
        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal("application/vnd.docker.multiplexed-stream", response.Content.Headers.ContentType!.ToString());
        Assert.Equal(new byte[] { 2, 0, 0, 0, 0, 0, 0, (byte)(bytes.Length - 8) }, bytes[..8]);
        Assert.Equal(
            $"1970-01-01T00:00:00.000000000Z com.docker.swarm.node.id=n,com.docker.swarm.service.id={id},com.docker.swarm.task.id=t hello\n",
            Encoding.UTF8.GetString(bytes[8..]));
        Assert.Equal((id, 7), (engine.Logs.Asked!.ServiceId, engine.Logs.Asked.Tail));
        Assert.Equal(400, (await engine.SendAsync("GET", "/v1.50/services/web/logs")).Status);
    }

    [Fact]
    public async Task Events_give_the_past_and_follow()
    {
        await using var engine = await EngineFixture.StartManagerAsync();
        engine.Events.Publish(new EngineEvent("service", "create", "s1", DateTimeOffset.FromUnixTimeSeconds(100)) { Scope = "swarm", Attributes = new Dictionary<string, string> { ["name"] = "web" } });
        engine.Events.Publish(new EngineEvent("network", "create", "n1", DateTimeOffset.FromUnixTimeSeconds(100)));
        using var response = await engine.Http.GetAsync("/v1.50/events?since=50&filters=" + Uri.EscapeDataString("""{"type":{"service":true}}"""), HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal(
            """{"Type":"service","Action":"create","Actor":{"ID":"s1","Attributes":{"name":"web"}},"scope":"swarm","time":100,"timeNano":100000000000}""",
            await lines.ReadLineAsync());
        engine.Events.Publish(new EngineEvent("service", "remove", "s1", DateTimeOffset.FromUnixTimeSeconds(101)));
        Assert.Contains("\"remove\"", await lines.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Equal("", await engine.Http.GetStringAsync("/v1.50/events?until=1"));
    }

    private static string[] Keys(JsonElement element) => [.. element.EnumerateObject().Select(p => p.Name)];
}
