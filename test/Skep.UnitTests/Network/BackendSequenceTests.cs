using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using FsCheck;
using FsCheck.Fluent;
using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.UnitTests.Network;

public sealed class BackendSequenceTests
{
    private static readonly PlanService s_web = new("net", "web", "web", []);

    [Fact]
    public void A_canary_gets_its_share_spread_evenly_and_always_in_the_same_order()
    {
        var service = s_web with { Balance = new PlanBalance(BalanceMode.RoundRobin, 9) { Members = [new PlanMember("canary", 1)] } };
        PlanEndpoint[] endpoints = [Endpoint("t1", "web", 1), Endpoint("t2", "canary", 2), Endpoint("t3", "other", 3)];
        Assert.Equal("1 1 1 1 1 2 1 1 1 1", Turns(service, endpoints));
        Assert.Equal("1 2", Turns(service with { Balance = service.Balance with { Weight = 1 } }, endpoints));
        Assert.Equal("1 1 2 1", Turns(service with { Balance = service.Balance with { Weight = 30, Members = [new PlanMember("canary", 10)] } }, endpoints));
    }

    [Fact]
    public void Each_task_has_its_services_weight()
    {
        var service = s_web with { Balance = new PlanBalance(BalanceMode.RoundRobin, 2) { Members = [new PlanMember("canary", 1)] } };
        PlanEndpoint[] endpoints = [Endpoint("a", "web", 1), Endpoint("b", "web", 2), Endpoint("c", "canary", 3), Endpoint("d", "canary", 4)];
        Assert.Equal("1 3 2 1 4 2", Turns(service, endpoints));
    }

    [Fact]
    public void Local_first_stays_on_the_node_while_a_healthy_task_is_there()
    {
        var service = s_web with { Balance = new PlanBalance(BalanceMode.LocalFirst) };
        PlanEndpoint[] endpoints = [Endpoint("a", "web", 1, "here"), Endpoint("b", "web", 2, "there"), Endpoint("c", "web", 3, "here")];
        Assert.Equal("1 3", Turns(service, endpoints));
        Assert.Equal("3", Turns(service, endpoints, "10.0.0.1"));
        Assert.Equal("2", Turns(service, endpoints, "10.0.0.1", "10.0.0.3"));
        Assert.Equal("1 3", Turns(service, endpoints, "10.0.0.1", "10.0.0.2", "10.0.0.3"));

        endpoints[2] = endpoints[2] with { State = EndpointState.Draining };
        endpoints[0] = endpoints[0] with { State = EndpointState.Starting };
        Assert.Equal("2", Turns(service, endpoints));
    }

    [Fact]
    public void A_round_has_exactly_the_weights_proportions_and_no_window_strays_from_them()
    {
        var weights = Gen.Choose(1, 100).ListOf().Select(l => l.ToArray()).Where(l => l.Length is > 0 and < 12);
        var (rounds, weighted) = (0, 0);
        Prop.ForAll(weights.ToArbitrary(), chosen =>
        {
            var turns = WeightedTurns.Of([.. chosen.Select((w, i) => (i, w))]);
            var divisor = chosen.Aggregate(Divisor);
            rounds++;
            weighted += chosen.Distinct().Count() > 1 ? 1 : 0;
            Assert.Equal(chosen.Sum() / divisor, turns.Length);
            Assert.Equal(chosen.Select(w => w / divisor), chosen.Select((_, i) => turns.Count(t => t == i)));
            Assert.Equal(turns, WeightedTurns.Of([.. chosen.Select((w, i) => (i, w))]));

            // Strict: after any number of turns nobody is further from its share than the number of others allows.
            var had = new int[chosen.Length];
            for (var taken = 1; taken <= turns.Length; taken++)
            {
                had[turns[taken - 1]]++;
                for (var i = 0; i < chosen.Length; i++)
                {
                    var share = (double)taken * chosen[i] / chosen.Sum();
                    Assert.True(Math.Abs(had[i] - share) < chosen.Length, $"[{string.Join(", ", chosen)}]: after {taken} turns {i} had {had[i]} of {share:f1}");
                }
            }
        }).QuickCheckThrowOnFailure();
        Assert.True(weighted > rounds / 2, $"only {weighted} of {rounds} rounds had different weights");
    }

    [Fact]
    public void A_round_that_would_be_too_long_is_rounded_and_nobody_is_left_out()
    {
        var turns = WeightedTurns.Of([.. Enumerable.Range(0, 301).Select(i => (i, i == 0 ? 1 : 99))]);
        Assert.InRange(turns.Length, 301, WeightedTurns.LongestRound);
        Assert.Equal(301, turns.Distinct().Count());
    }

    private static int Divisor(int left, int right) => right == 0 ? left : Divisor(right, left % right);

    private static PlanEndpoint Endpoint(string task, string service, int last, string node = "there") =>
        new("net", task, node, [$"10.0.0.{last}/24"]) { ServiceId = service, State = EndpointState.Active };

    private static string Turns(PlanService service, IEnumerable<PlanEndpoint> endpoints, params string[] ejected) => string.Join(
        ' ',
        BackendSequence.Of(service, endpoints, "here", AddressFamily.InterNetwork, ejected.Select(IPAddress.Parse).ToImmutableHashSet())
            .Select(a => a.GetAddressBytes()[3]));
}
