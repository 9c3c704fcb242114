using System.Net;
using Skep.Model.Plans;
using Skep.Network.Dns;
using Skep.Testing.Dns;

namespace Skep.UnitTests.Network.Dns;

public sealed class NetworkNamesTests
{
    [Fact]
    public void The_ingress_network_has_no_names()
    {
        var names = NetworkNames.Of(NamesExample.IngressPlan);

        Assert.False(names.Forward.TryGetValue("web", out _));
        Assert.Null(names.Reverse(IPAddress.Parse("10.0.0.5")));
    }

    [Fact]
    public void An_address_counts_once_though_its_task_bears_a_name_twice()
    {
        var twice = NamesExample.Task(NamesExample.Front, "web", 1, "10.0.1.11/24") with { Names = ["one", "ONE", "web"] };
        var names = NetworkNames.Of(new NetworkPlan(NamesExample.Front)
        {
            Endpoints = NamesExample.ByTask([twice]),
            Services = NamesExample.ByService([new PlanService(NamesExample.Front.Id, "web-id", "web", [])]),
        });

        Assert.Equal(1, Count(names, "one"));
        Assert.Equal(1, Count(names, "web"));
    }

    [Fact]
    public void Where_nobody_balances_in_IPv6_a_service_is_reached_by_its_other_addresses()
    {
        var plan = new NetworkPlan(NamesExample.Front)
        {
            Endpoints = NamesExample.ByTask([NamesExample.Task(NamesExample.Front, "web", 1, "10.0.1.11/24") with { Addresses = ["10.0.1.11/24", "fd00:1::11/64"] }]),
            Services = NamesExample.ByService([new PlanService(NamesExample.Front.Id, "web-id", "web", ["10.0.1.2/24", "fd00:1::2/64"])]),
        };

        Assert.Equal((1, 1), Counts(NetworkNames.Of(plan), "web"));
        Assert.Equal((1, 0), Counts(NetworkNames.Of(plan, balances6: false), "web"));
        Assert.Equal((1, 1), Counts(NetworkNames.Of(plan, balances6: false), "tasks.web"));

        static (int, int) Counts(NetworkNames names, string name) => names.Forward.TryGetValue(name, out var entry) ? (entry.V4.Count, entry.V6.Count) : (-1, -1);
    }

    [Theory]
    [InlineData(EndpointState.Starting)]
    [InlineData(EndpointState.Draining)]
    public void A_task_that_takes_no_new_flows_has_no_name(EndpointState state)
    {
        var names = NetworkNames.Of(new NetworkPlan(NamesExample.Front)
        {
            Endpoints = NamesExample.ByTask([NamesExample.Task(NamesExample.Front, "web", 1, "10.0.1.11/24") with { State = state }]),
        });

        Assert.False(names.Forward.TryGetValue("web.1.abc", out _));
        Assert.Null(names.Reverse(IPAddress.Parse("10.0.1.11")));
    }

    [Fact]
    public void A_name_too_long_for_an_answer_still_resolves_and_has_no_pointer_to_it()
    {
        var name = new string('x', 64);
        var names = NetworkNames.Of(new NetworkPlan(NamesExample.Front)
        {
            Endpoints = NamesExample.ByTask([NamesExample.Task(NamesExample.Front, "web", 1, "10.0.1.11/24") with { Names = [name] }]),
        });

        Assert.Equal(1, Count(names, name));
        Assert.Null(names.Reverse(IPAddress.Parse("10.0.1.11")));
        Assert.Empty(names.ActiveOf("web-id"));
    }

    [Fact]
    public void The_first_network_with_the_name_wins_whole()
    {
        PlanEndpoint Same(PlanNetwork network, string address) => NamesExample.Task(network, "x", 1, address) with { Names = ["same"] };
        var front = NetworkNames.Of(new NetworkPlan(NamesExample.Front) { Endpoints = NamesExample.ByTask([Same(NamesExample.Front, "10.0.1.9/24")]) });
        var back = NetworkNames.Of(new NetworkPlan(NamesExample.Back) { Endpoints = NamesExample.ByTask([Same(NamesExample.Back, "10.0.2.9/24")]) });
        var scope = new NameScope([back, front], null);

        Assert.Equal([10, 0, 2, 9], scope.Find("same")!.V4.AddressAt(0).ToArray());
        Assert.Equal([10, 0, 1, 9], scope.Find("same.front")!.V4.AddressAt(0).ToArray());
        Assert.Equal(1, scope.Find("same")!.V4.Count);
    }

    [Theory]
    [InlineData("a.b.c", "c")]
    [InlineData("a.b.c", "b.c")]
    public void A_network_whose_name_has_dots_is_found_behind_any_dot(string asked, string network)
    {
        var plan = NamesExample.Front with { Name = network };
        var task = NamesExample.Task(plan, "x", 1, "10.0.1.9/24") with { Names = [asked[..^(network.Length + 1)]] };
        var scope = new NameScope([NetworkNames.Of(new NetworkPlan(plan) { Endpoints = NamesExample.ByTask([task]) })], null);

        Assert.NotNull(scope.Find(asked));
        Assert.Null(scope.Find("." + network));
    }

    private static int Count(NetworkNames names, string name) => names.Forward.TryGetValue(name, out var entry) ? entry.V4.Count : 0;

    [Fact]
    public void Following_a_change_leads_to_the_names_that_the_plan_gives()
    {
        var random = new Random(5);
        var plan = NamesExample.FrontPlan;
        var names = NetworkNames.Of(plan);
        for (var step = 0; step < 100; step++)
        {
            var endpoint = new PlanEndpoint(NamesExample.Front.Id, $"t{random.Next(6)}", "n", [$"10.0.9.{random.Next(2, 12)}/24"])
            {
                ServiceId = $"s{random.Next(3)}",
                State = (EndpointState)random.Next(3),
                Names = [$"task{random.Next(4)}", "shared"],
            };
            var service = new PlanService(NamesExample.Front.Id, $"s{random.Next(3)}", $"service{random.Next(3)}", random.Next(2) == 0 ? [] : [$"10.0.9.{random.Next(100, 103)}/24"]);
            var next = plan with
            {
                Endpoints = random.Next(4) == 0 ? plan.Endpoints.Remove(endpoint.TaskId) : plan.Endpoints.SetItem(endpoint.TaskId, endpoint),
                Services = random.Next(4) == 0 ? plan.Services.Remove(service.ServiceId) : plan.Services.SetItem(service.ServiceId, service),
            };
            names = names.Next(next, [new PlanRecordKey(PlanPart.Endpoint, NamesExample.Front.Id, endpoint.TaskId), new PlanRecordKey(PlanPart.Service, NamesExample.Front.Id, service.ServiceId)]);
            plan = next;

            var whole = NetworkNames.Of(plan);
            foreach (var name in Enumerable.Range(0, 4).SelectMany(i => new[] { $"task{i}", $"service{i}", $"tasks.service{i}" }).Append("shared"))
            {
                Assert.Equal(Text(whole, name), Text(names, name));
            }

            foreach (var address in Enumerable.Range(2, 101).Select(i => IPAddress.Parse($"10.0.9.{i}")))
            {
                Assert.Equal(whole.Reverse(address), names.Reverse(address));
            }
        }

        static string Text(NetworkNames names, string name) => names.Forward.TryGetValue(name, out var entry) ? Describe(entry) : "none";
        static string Describe(NameEntry entry) => string.Join(' ', Enumerable.Range(0, entry.V4.Count).Select(i => new IPAddress(entry.V4.AddressAt(i)).ToString()).Order(StringComparer.Ordinal));
    }
}
