using Skep.Kernel.Sysctl;
using Skep.Model.Plans;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>Changes that are told one by one leave the kernel as a full look at it wants it.</summary>
public sealed class FollowingTests
{
    [Fact]
    public async Task After_every_told_change_a_full_look_finds_nothing_to_repair()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var random = new Random(7);
        var node = nodes.First;
        var plan = TwoNodes.Plan(1) with { NodeId = node.Id };
        await node.FollowAsync(plan, null, nodes.Limit);
        for (var step = 0; step < 60; step++)
        {
            var network = random.Next(3) == 0 ? TwoNodes.Ingress : TwoNodes.Demo;
            var (next, key) = Change(random, plan, network);
            await node.FollowAsync(next, new PlanDelta(plan, [key]), nodes.Limit);
            plan = next;
            if (step % 10 == 9)
            {
                await node.Network.AuditAsync(nodes.Limit);
            }
        }

        Assert.Empty(node.Log.Repairs);
        Assert.Equal(0, node.Network.Repairs.Total);
        Assert.Contains(node.Log.Differences, d => d.Contains("balance", StringComparison.Ordinal));

        // A daemon that is new to it reads the same.
        await node.StopAsync();
        node.Log.Clear();
        node.Start();
        await node.FollowAsync(plan, null, nodes.Limit);
        await node.Network.AuditAsync(nodes.Limit);
        Assert.Empty(node.Log.Differences);
    }

    [Fact]
    public async Task A_changed_backend_is_found_counted_and_put_right()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var demo = nodes.First.Open("2-demoxxxxxx");
        // Two commands in one transaction: the map never lacks the number, it only leads elsewhere.
        await NamespaceFixture.RunAsync(
            demo, "nft", "delete element ip skep-0 backends { 1 } ; add element ip skep-0 backends { 1 : 10.0.1.77 }");
        await nodes.First.Network.AuditAsync(nodes.Limit);
        Assert.Contains("10.0.1.4", await NamespaceFixture.RunAsync(demo, "nft", "list", "map", "ip", "skep-0", "backends"), StringComparison.Ordinal);
        Assert.DoesNotContain("10.0.1.77", await NamespaceFixture.RunAsync(demo, "nft", "list", "map", "ip", "skep-0", "backends"), StringComparison.Ordinal);
        var count = Assert.Single(nodes.First.Network.Repairs.Counts);
        Assert.Equal(("2-demoxxxxxx", Skep.Network.RepairKind.Balance, Skep.Network.RepairCause.Changed, 1), (count.Space, count.Kind, count.Cause, count.Count));
        Assert.Contains("10.0.1.2 service-web", Assert.Single(nodes.First.Network.Repairs.Last).What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_does_not_wait_for_a_look_at_everything()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var node = nodes.First;
        var plan = TwoNodes.Plan(1) with { NodeId = node.Id };
        await node.FollowAsync(plan, null, nodes.Limit);
        var first = "";
        for (var attempt = 2ul; attempt < 12 && !first.Contains(": balance", StringComparison.Ordinal); attempt++)
        {
            // The look may begin by itself a moment before the plan comes; both in one pass is the rule.
            var next = TwoNodes.Plan(attempt, web2: attempt % 2 == 0 ? EndpointState.Draining : EndpointState.Active) with { NodeId = node.Id };
            node.Log.Clear();
            SysctlFile.Set(node.Host, "net.ipv4.conf.docker_gwbridge.send_redirects", "1");
            var looked = node.Network.AuditAsync(nodes.Limit);
            await node.FollowAsync(next, new PlanDelta(plan, [.. plan.Networks.Keys.Select(network => new PlanRecordKey(PlanPart.Endpoint, network, "web2"))]), nodes.Limit);
            await looked;
            (plan, first) = (next, node.Log.Differences.First());
            Assert.Contains(node.Log.Repairs, l => l.Contains("host: net.ipv4.conf.docker_gwbridge.send_redirects was 1", StringComparison.Ordinal));
        }

        Assert.Contains(": balance", first, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drain_is_on_disk_when_it_is_confirmed()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var node = nodes.First;
        var plan = TwoNodes.Plan(1) with { NodeId = node.Id };
        await node.FollowAsync(plan, null, nodes.Limit);
        await node.FollowAsync(
            TwoNodes.Plan(2, web2: EndpointState.Draining) with { NodeId = node.Id },
            new PlanDelta(plan, [.. plan.Networks.Keys.Select(network => new PlanRecordKey(PlanPart.Endpoint, network, "web2"))]),
            nodes.Limit);

        Assert.Contains("web2", await File.ReadAllTextAsync(Path.Combine(node.Folder, "network-drained.json"), nodes.Limit), StringComparison.Ordinal);
    }

    private static (NodePlan Plan, PlanRecordKey Key) Change(Random random, NodePlan plan, PlanNetwork network)
    {
        var subnet = network.Ingress ? "10.0.0" : "10.0.1";
        var known = plan.Networks[network.Id];
        var number = random.Next(1, 6);
        PlanRecordKey key;
        if (random.Next(3) == 0)
        {
            var service = new PlanService(network.Id, $"s{number}", $"s{number}", [$"{subnet}.{number + 100}/24"])
            {
                Ports = network.Ingress ? [new Skep.Model.Specs.PortConfig { PublishedPort = (uint)(9000 + number), TargetPort = 80 }] : [],
            };
            known = known with { Services = random.Next(4) == 0 ? known.Services.Remove(service.ServiceId) : known.Services.SetItem(service.ServiceId, service) };
            key = new PlanRecordKey(PlanPart.Service, network.Id, service.ServiceId);
        }
        else
        {
            var endpoint = new PlanEndpoint(network.Id, $"t{number}", "node2", [$"{subnet}.{number + 40}/24"]) { ServiceId = $"s{random.Next(1, 6)}", State = (EndpointState)random.Next(3) };
            known = known with { Endpoints = random.Next(4) == 0 ? known.Endpoints.Remove(endpoint.TaskId) : known.Endpoints.SetItem(endpoint.TaskId, endpoint) };
            key = new PlanRecordKey(PlanPart.Endpoint, network.Id, endpoint.TaskId);
        }

        return (plan with { Revision = plan.Revision + 1, Networks = plan.Networks.SetItem(network.Id, known) }, key);
    }
}
