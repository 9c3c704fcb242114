using System.Net;
using Skep.Manager.Allocation;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.SimulationTests.Orchestration;

/// <summary>
/// Addresses, identifiers and ports over seeded histories with crashes and changes of leader at any commit: never given twice, never
/// outside their network, all given back in the end. A failing run names its seed.
/// </summary>
public sealed class AddressHistoryTests(ITestOutputHelper output)
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Nothing_is_given_twice_and_all_is_given_back(int seed)
    {
        var swarm = new SimulatedSwarm(seed);
        var flaky = new FlakyStore(swarm.Store, () => swarm.Chance(100));
        swarm.LeaderStore = flaky;
        var rules = new Rules(seed);
        await swarm.StartAsync(3, ipv6: true);
        swarm.OnCommit = rules.Check;
        await swarm.CreateAsync(AddressHistory.Network("net1"));
        await swarm.CreateServiceAsync("always", s => s.Replicas(6).On("net1").Publishes(new PortConfig { TargetPort = 80 }));
        flaky.Failing = 24;
        var stuck = 0;
        for (var step = 0; step < 150; step++)
        {
            await ActAsync(swarm, step);
            swarm.Clock.Advance(TimeSpan.FromMilliseconds(1 + swarm.Chance(4000)));
            if (swarm.Chance(8) == 0)
            {
                rules.Refused += await DeposedAsync(swarm);
            }

            // Its watch is a little late, and now and then brings nothing for some seconds.
            stuck = stuck > 0 ? stuck - 1 : swarm.Chance(8) == 0 ? 4 : 0;
            await PassAsync(swarm, stuck > 0 ? int.MaxValue : swarm.Chance(4));
            if (swarm.Chance(3) > 0)
            {
                await swarm.AgentsAsync();
            }
        }

        output.WriteLine($"seed {seed}: up to {rules.MostAddresses} addresses, {rules.Leaders} changes of leader, {flaky.Lost} answers lost, {rules.Refused} passes of deposed leaders refused");
        Assert.True(rules.MostAddresses > 20 && flaky.Lost > 0 && rules.Leaders > 2 && rules.Refused > 0, $"seed {seed}: the history is trivial");

        flaky.Failing = 0;
        foreach (var service in swarm.View.Services.Values.ToArray())
        {
            await swarm.RemoveAsync(service);
        }

        await RestAsync(swarm);
        // Before the networks take all with them: nothing is left there but the nodes' own.
        var left = swarm.View.Networks.Keys.SelectMany(n => swarm.Books.Addresses.Pool(n) is var pool ? pool.Families.ToList().SelectMany(f => pool.Usage(f).Owners) : []);
        Assert.All(left, owner => Assert.Contains(owner, swarm.View.Nodes.Keys));
        foreach (var network in swarm.View.Networks.Values.ToArray())
        {
            await swarm.RemoveAsync(network);
        }

        foreach (var node in swarm.View.Nodes.Values.ToArray())
        {
            await swarm.RemoveAsync(node);
        }

        await RestAsync(swarm);
        Assert.True(swarm.View.Tasks.Values.All(t => t.Status.State > TaskState.Running), $"seed {seed}: a task is left");
        Assert.Equal((0, 0, 0), swarm.Books.Addresses.Size);
        Assert.Equal(0, swarm.Books.Vnis.Count);
        Assert.Equal(0, swarm.Books.Ports.Count);

        async Task ActAsync(SimulatedSwarm s, int step)
        {
            if (await AddressHistory.ActAsync(s, step))
            {
                rules.Leaders++;
            }
        }
    }

    [Fact]
    public async Task Ten_thousand_rounds_of_making_and_removing_leave_nothing()
    {
        var swarm = new SimulatedSwarm(1);
        await swarm.StartAsync(1, ipv6: true);
        var began = swarm.Books.Addresses.Size;
        for (var round = 0; round < 10_000; round++)
        {
            await swarm.CreateAsync(Wishes.Network($"n{round}") with { Spec = Wishes.Network($"n{round}").Spec with { EnableIPv6 = true } });
            await swarm.CreateServiceAsync($"s{round}", s => s.Replicas(1).On($"n{round}").Publishes(new PortConfig { TargetPort = 80 }));
            await swarm.PassAsync();
            if (round % 1000 == 0)
            {
                // The lowest subnets and identifiers behind the last are still there to be had.
                Assert.Equal("10.0.1.0/24", swarm.View.Networks[$"n{round}"].Subnets[0].Subnet);
                Assert.Equal(2, Assert.Single(swarm.View.TasksOfService($"s{round}")).Attachments.Count);
            }

            await swarm.RemoveAsync(swarm.View.Services[$"s{round}"]);
            await swarm.PassAsync();
            await swarm.AgentsAsync();
            await swarm.PassAsync();
            await swarm.RemoveAsync(swarm.View.Networks[$"n{round}"]);
            await swarm.PassAsync();
        }

        output.WriteLine($"books after 10000 rounds: {swarm.Books.Addresses.Size}, {swarm.Books.Vnis.Count} identifiers, {swarm.Books.Ports.Count} ports, {swarm.View.Tasks.Count} tasks");
        Assert.Equal(began, swarm.Books.Addresses.Size);
        Assert.Equal((1, 0), (swarm.Books.Vnis.Count, swarm.Books.Ports.Count));
        Assert.Equal((0, 0, 1), (swarm.View.Tasks.Count, swarm.View.Services.Count, swarm.View.Networks.Count));
    }

    [Fact]
    public async Task A_task_that_waits_for_an_address_goes_on_when_a_subnet_is_added_or_one_comes_free()
    {
        var swarm = new SimulatedSwarm(1);
        await swarm.StartAsync(2);
        await swarm.CreateAsync(Wishes.Network("tiny", "10.50.0.0/29"));
        await swarm.CreateServiceAsync("a", s => s.Replicas(4).On("tiny"));
        await swarm.CreateServiceAsync("b", s => s.Replicas(2).On("tiny"));
        await swarm.SettleAsync();
        Assert.Empty(swarm.Running("b"));
        Assert.All(swarm.View.TasksOfService("b"), t => Assert.Equal("network tiny: 5 of 5 IPv4 addresses in use: 3 tasks, 2 services", t.Status.Err));

        await swarm.UpdateServiceAsync("a", s => s.Replicas(2));
        await swarm.SettleAsync();
        Assert.Single(swarm.Running("b"));

        var network = swarm.View.Networks["tiny"];
        await swarm.UpdateAsync(network with { Subnets = [.. network.Subnets, new IpamConfig { Subnet = "10.50.1.0/29", Gateway = "10.50.1.1" }] });
        await swarm.SettleAsync();
        Assert.Equal(2, swarm.Running("b").Count());
        Assert.Contains(swarm.Running("b"), t => t.Attachments[0].Addresses[0].StartsWith("10.50.1.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Automatic_subnets_keep_away_from_the_nodes_own_routes()
    {
        var swarm = new SimulatedSwarm(1);
        await swarm.StartAsync(2);
        await swarm.SetNodeAsync("node2", n => n with
        {
            Description = n.Description! with { Prefixes = [new HostPrefix("10.0.1.0/24", "route 10.0.1.0/24 dev eth1"), new HostPrefix("10.0.2.53/32", "name server 10.0.2.53")] },
        });
        await swarm.CreateAsync(Wishes.Network("net"));
        await swarm.SettleAsync();
        Assert.Equal("10.0.3.0/24", Assert.Single(swarm.View.Networks["net"].Subnets).Subnet);
    }

    /// <summary>1 when a leader that is none any more wanted to give something out and was refused.</summary>
    private static async Task<int> DeposedAsync(SimulatedSwarm swarm)
    {
        try
        {
            await swarm.DeposedPassAsync();
            return 0;
        }
        catch (ClusterException refused) when (refused.Kind == ErrorKind.Unavailable)
        {
            return 1;
        }
    }

    private static async Task PassAsync(SimulatedSwarm swarm, int lag)
    {
        try
        {
            await swarm.PassAsync(lag);
        }
        catch (ClusterException away) when (away.Kind == ErrorKind.Unavailable)
        {
            await swarm.CatchUpAsync();
        }
    }

    private static async Task RestAsync(SimulatedSwarm swarm)
    {
        for (var i = 0; i < 6; i++)
        {
            await swarm.SettleAsync();
            await swarm.AdvanceAsync(TimeSpan.FromSeconds(20));
        }
    }

    /// <summary>What must be true after every commit.</summary>
    private sealed class Rules(int seed)
    {
        public int MostAddresses { get; private set; }
        public int Leaders { get; set; }
        public int Refused { get; set; }

        public void Check(StoreCommit commit)
        {
            var view = commit.View;
            var ingress = view.Networks.Values.SingleOrDefault(n => n.Spec.Ingress)?.Id ?? "";
            var held = view.Tasks.Values.Where(t => t.Status.State <= TaskState.Running)
                .SelectMany(t => t.Attachments.SelectMany(a => a.Addresses.Select(text => (Network: a.NetworkId, Text: text, Owner: t.Id))))
                .Concat(view.Services.Values.SelectMany(s => (s.Endpoint?.VirtualIPs ?? []).Select(v => (Network: v.NetworkID, Text: v.Addr, Owner: s.Id))))
                .Concat(view.Nodes.Values.SelectMany(n => new[] { n.IngressAddress, n.IngressAddress6 }.OfType<string>().Select(a => (Network: ingress, Text: a, Owner: n.Id))))
                .ToList();
            MostAddresses = Math.Max(MostAddresses, held.Count);
            foreach (var shared in held.GroupBy(a => (a.Network, a.Text)).Where(g => g.Count() > 1))
            {
                Assert.Fail($"seed {seed}: {shared.Key} belongs to {string.Join(" and ", shared.Select(s => s.Owner))}");
            }

            foreach (var (id, text, owner) in held.Where(h => view.Networks.ContainsKey(h.Network)))
            {
                var address = IPAddress.Parse(text.Split('/')[0]);
                var subnets = view.Networks[id].Subnets;
                Assert.True(subnets.Any(s => IPNetwork.Parse(s.Subnet!).Contains(address)), $"seed {seed}: {owner} has {text} outside network {id}");
                Assert.True(subnets.All(s => s.Gateway != address.ToString()), $"seed {seed}: {owner} has the gateway {text}");
            }

            foreach (var task in view.Tasks.Values.Where(t => t.Status.State is >= TaskState.Assigned and <= TaskState.Running))
            {
                Has(view, task, ingress);
            }

            var vnis = view.Networks.Values.Where(n => n.Vni != 0).Select(n => n.Vni).ToList();
            Assert.True(vnis.Count == vnis.Distinct().Count(), $"seed {seed}: two networks share an identifier");
            var all = view.Networks.Values.SelectMany(n => n.Subnets).Select(s => IPNetwork.Parse(s.Subnet!)).ToList();
            Assert.True(all.All(a => all.Count(b => AddressRange.Overlap(a, b)) == 1), $"seed {seed}: two networks overlap");
            var ports = view.Services.Values.SelectMany(s => (s.Endpoint?.Ports ?? []).Select(p => p.PublishedPort)).ToList();
            Assert.True(ports.Count == ports.Distinct().Count(), $"seed {seed}: two services share a port");
        }

        // A task is placed in the commit that gives it its addresses or after it, never before: one of each family on each of its networks.
        private void Has(StoreView view, SwarmTask task, string ingress)
        {
            var published = task.Endpoint?.Ports?.Any(p => p.PublishMode != "host") is true;
            foreach (var id in (task.Spec.Networks ?? []).Select(n => n.Target).Concat(published ? [ingress] : []))
            {
                if (view.Networks.TryGetValue(id, out var network))
                {
                    var families = network.Subnets.Select(s => IPNetwork.Parse(s.Subnet!).BaseAddress.AddressFamily).Distinct().Order();
                    var own = task.Attachments.Where(a => a.NetworkId == id).SelectMany(a => a.Addresses).Select(a => IPAddress.Parse(a.Split('/')[0]).AddressFamily).Order();
                    Assert.True(families.SequenceEqual(own), $"seed {seed}: task {task.Name} is {task.Status.State} on {network.Spec.Name} with {string.Join(", ", own)} instead of {string.Join(", ", families)}");
                }
            }
        }
    }
}

/// <summary>One thing that somebody does.</summary>
internal static class AddressHistory
{
    private static readonly string[] s_networks = ["net0", "net1", "net2", "net3"];

    /// <summary>True when another leader took over.</summary>
    public static async Task<bool> ActAsync(SimulatedSwarm swarm, int step)
    {
        var (id, network, node) = ($"s{swarm.Chance(5)}", $"net{swarm.Chance(4)}", $"node{1 + swarm.Chance(6)}");
        var service = swarm.View.Services.GetValueOrDefault(id);
        switch (swarm.Chance(12))
        {
            case 0 or 1 when !swarm.View.Networks.ContainsKey(network):
                await swarm.CreateAsync(Network(network));
                break;
            case 2 when swarm.View.Networks.TryGetValue(network, out var unused) && Skep.Manager.Control.NetworkControl.UserOf(swarm.View, unused) is null:
                await swarm.RemoveAsync(unused);
                break;
            case 3 or 4 when service is null:
                var (networks, count, published) = (Some(swarm), (ulong)swarm.Chance(5), swarm.Chance(2) == 0);
                await swarm.CreateServiceAsync(id, s => s.Replicas(count).On(networks) with
                {
                    EndpointSpec = new EndpointSpec { Ports = published ? [new PortConfig { TargetPort = 80 }] : [] },
                });
                break;
            case 5 when service is not null:
                var replicas = (ulong)swarm.Chance(7);
                await swarm.UpdateServiceAsync(id, s => s.Replicas(replicas));
                break;
            case 6 when service is not null:
                var others = Some(swarm);
                await swarm.UpdateServiceAsync(id, s => s.On(others));
                break;
            case 7 when service is not null:
                await swarm.RemoveAsync(service);
                break;
            case 8 when !swarm.View.Nodes.ContainsKey(node):
                await swarm.AddNodeAsync(node);
                break;
            case 9 when swarm.View.Nodes.Count > 1 && swarm.View.Nodes.TryGetValue(node, out var leaving):
                await RemoveAsync(swarm, leaving);
                break;
            case 10:
                await swarm.NewLeaderAsync();
                return true;
        }

        return false;
    }

    private static string[] Some(SimulatedSwarm swarm) => [.. s_networks.Where(n => swarm.View.Networks.ContainsKey(n) && swarm.Chance(2) == 0)];

    // net0 and net3 small, so that addresses come round; net1 of both families, net2 of IPv6 alone.
    public static SwarmNetwork Network(string name)
    {
        var network = Wishes.Network(name, name switch { "net0" => "10.60.0.0/28", "net3" => "10.60.1.0/28", _ => null });
        return network with { Spec = network.Spec with { EnableIPv6 = name is "net1" or "net2", EnableIPv4 = name != "net2" } };
    }

    /// <summary>As the control API removes a node: its tasks are orphaned in the same transaction.</summary>
    private static Task<ulong> RemoveAsync(SimulatedSwarm swarm, SwarmNode node)
    {
        var transaction = new StoreTransaction().Remove(node);
        foreach (var task in swarm.View.TasksOnNode(node.Id).Where(t => t.Status.State < TaskState.Complete))
        {
            transaction.Update(task with { Status = task.Status with { State = TaskState.Orphaned } });
        }

        return swarm.Store.CommitAsync(transaction, default);
    }
}
