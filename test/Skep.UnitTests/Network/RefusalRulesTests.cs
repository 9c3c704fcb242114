using System.Net;
using Skep.Network.Desired;

namespace Skep.UnitTests.Network;

/// <summary>What refusals and answers change in the rules; web's backends are 10.0.1.3 and 10.0.1.4, on ingress 10.0.0.5 and 10.0.0.6.</summary>
public sealed class RefusalRulesTests
{
    private const string Detour = "10.0.1.2 . tcp . 3000 : jump service-s1-tcp-3000";
    private const string Retried = "10.0.1.2 . tcp . 3000";

    [Fact]
    public void A_port_that_one_backend_refuses_goes_past_it_and_the_other_ports_do_not()
    {
        var text = Space("2-demo00id", new BackendHealth { Refusing = [Refusing("10.0.1.4")], Answering = [Answering] });
        Assert.Contains($"      {Detour}\n", text, StringComparison.Ordinal);
        Assert.Contains("    chain service-s1-tcp-3000\n      meta l4proto { tcp, udp } dnat to 10.0.1.3\n", text, StringComparison.Ordinal);
        Assert.Contains("    10.0.1.2 service-s1 to 10.0.1.3, 10.0.1.4\n", text, StringComparison.Ordinal);
        // Nobody is left for a SYN that the last one refuses.
        Assert.DoesNotContain($"      {Retried}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refused_syn_is_repeated_where_a_backend_answered_lately_and_another_one_is_left()
    {
        Assert.Contains($"      {Retried}\n", Space("2-demo00id", new BackendHealth { Answering = [Answering] }), StringComparison.Ordinal);
        Assert.DoesNotContain($"      {Retried}\n", Space("2-demo00id", BackendHealth.Unknown), StringComparison.Ordinal);
    }

    [Fact]
    public void When_all_refuse_all_stay_in_and_nothing_is_repeated()
    {
        var text = Space("2-demo00id", new BackendHealth { Refusing = [Refusing("10.0.1.3"), Refusing("10.0.1.4")], Answering = [Answering] });
        Assert.DoesNotContain(Retried, text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_published_port_goes_past_a_backend_that_refuses_its_target()
    {
        var text = Space("", new BackendHealth { Refusing = [new RefusingPort("ingress0id", "s1", IPAddress.Parse("10.0.0.6"), 6, 3000)] });
        Assert.Contains("      tcp . 8000 : jump port-tcp-8000-tcp-3000\n", text, StringComparison.Ordinal);
        Assert.Contains("    chain port-tcp-8000-tcp-3000\n      meta l4proto tcp dnat to 10.0.0.5:3000\n", text, StringComparison.Ordinal);

        text = Space("", new BackendHealth { Refusing = [new RefusingPort("ingress0id", "s1", IPAddress.Parse("10.0.0.6"), 6, 3001)] });
        Assert.DoesNotContain("tcp-3001", text, StringComparison.Ordinal);
    }

    private static AnsweringPort Answering { get; } = new("demo00id", "s1", 6, 3000);

    private static RefusingPort Refusing(string address) => new("demo00id", "s1", IPAddress.Parse(address), 6, 3000);

    private static string Space(string name, BackendHealth health) =>
        DesiredState.Compute(PlanExample.Node() with { Health = health }).Spaces.Single(s => s.Name == name).ToString();
}
