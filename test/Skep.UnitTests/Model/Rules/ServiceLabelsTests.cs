using Skep.Model.Plans;
using Skep.Model.Rules;
using Skep.Model.Rules.Labels;
using Skep.Model.Specs;

namespace Skep.UnitTests.Model.Rules;

public sealed class ServiceLabelsTests
{
    private static readonly ServiceSpec s_web = new()
    {
        Name = "web",
        TaskTemplate = new() { ContainerSpec = new() { Image = "nginx" } },
        EndpointSpec = new()
        {
            Ports =
            [
                new() { PublishedPort = 80, TargetPort = 80 }, new() { PublishedPort = 443, TargetPort = 443 },
                new() { PublishedPort = 8000, TargetPort = 1 }, new() { PublishedPort = 8001, TargetPort = 2 },
                new() { PublishedPort = 9100, TargetPort = 9100, PublishMode = "host" },
            ],
        },
    };

    [Theory]
    [InlineData("skep.balance", "rrr", "label skep.balance is \"rrr\"; allowed: rr, random, source, local-first")]
    [InlineData("skep.balance.weight", "0", "label skep.balance.weight is \"0\"; allowed: a whole number from 1 to 100")]
    [InlineData("skep.balance.weight", "+5", "label skep.balance.weight is \"+5\"; allowed: a whole number from 1 to 100")]
    [InlineData("skep.balance.timeout", "5m", "label skep.balance.timeout is \"5m\"; it goes with skep.balance=source only")]
    [InlineData("skep.balance.with", "web", "label skep.balance.with is \"web\"; allowed: the name of another service")]
    [InlineData("skep.drain.grace", "soon", "label skep.drain.grace is \"soon\"; allowed: 0 or a duration of at most 60m, such as 500ms, 30s or 1m30s")]
    [InlineData("skep.ready.timeout", "2h", "label skep.ready.timeout is \"2h\"; allowed: 0 or a duration of at most 60m, such as 500ms, 30s or 1m30s")]
    [InlineData("skep.unhealthy", "kill", "label skep.unhealthy is \"kill\"; allowed: replace, keep")]
    [InlineData("skep.balnce", "rr", "label skep.balnce is not known; the nearest is skep.balance")]
    [InlineData("skep.publish.443.adresses", "::1", "label skep.publish.443.adresses is not known; the nearest is skep.publish.443.addresses")]
    [InlineData("skep.publish.node", "node.role==manager", "label skep.publish.node is not known; the nearest is skep.publish.nodes")]
    [InlineData("skep.publish.81.nodes", "node.role==manager", "label skep.publish.81.nodes is \"node.role==manager\"; the service does not publish 81; it publishes 80, 443, 8000-8001, 9100")]
    [InlineData("skep.publish.8001-8000.nodes", "node.role==manager", "label skep.publish.8001-8000.nodes is \"node.role==manager\"; \"8001-8000\" in its name is neither a port (8000) nor a range of ports (8000-8100)")]
    [InlineData("skep.publish.nodes", "edge", "label skep.publish.nodes is \"edge\"; allowed: placement constraints such as node.labels.edge==true, separated by commas (constraint expected one operator from ==, !=)")]
    [InlineData("skep.publish.sources", "10.0.0.0/8, 10.1", "label skep.publish.sources is \"10.0.0.0/8, 10.1\"; allowed: addresses and ranges (192.0.2.7, 10.0.0.0/8, 2001:db8::/32) separated by commas, and \"10.1\" is neither")]
    [InlineData("skep.publish.addresses", "", "label skep.publish.addresses is \"\"; allowed: at least one address or range (192.0.2.7, 10.0.0.0/8, 2001:db8::/32), separated by commas")]
    [InlineData("skep.publish.proxy-protocol", "v1", "label skep.publish.proxy-protocol is \"v1\"; allowed: v2")]
    [InlineData("skep.publish.sources", "fe80::1%2", "label skep.publish.sources is \"fe80::1%2\"; allowed: addresses and ranges (192.0.2.7, 10.0.0.0/8, 2001:db8::/32) separated by commas, and \"fe80::1%2\" is neither")]
    [InlineData("skep.publish.nodes", "node.role==manager", "label skep.publish.nodes is \"node.role==manager\"; port 9100 is of mode host and listens where its task is; use --constraint, and name other ports in the label, such as skep.publish.8000.nodes")]
    [InlineData("skep.publish.proxy-protocol", "v2", "label skep.publish.proxy-protocol is \"v2\"; it covers port 9100 of mode host, which gives the task the client's own address; name ports of the mesh, as in skep.publish.8000.proxy-protocol")]
    [InlineData("skep.publish.9100.proxy-protocol", "v2", "label skep.publish.9100.proxy-protocol is \"v2\"; a port of mode host gives the task the client's own address; there is nothing to tell")]
    [InlineData("skep.publish.9100.nodes", "node.role==manager", "label skep.publish.9100.nodes is \"node.role==manager\"; a port of mode host listens where its task is; use --constraint")]
    public void A_wrong_label_is_named_with_its_value_and_what_is_allowed(string name, string value, string expected) =>
        Assert.Equal([expected], ServiceRules.Check(With((name, value))).Select(p => p.Text));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("500ms", 500)]
    [InlineData("1m30s", 90_000)]
    public void Waits_are_read_also_in_milliseconds(string text, int milliseconds)
    {
        var labels = new Dictionary<string, string> { ["skep.drain.grace"] = text, ["skep.ready.timeout"] = text };
        Assert.Empty(ServiceRules.Check(With(("skep.drain.grace", text), ("skep.ready.timeout", text))));
        Assert.Equal((milliseconds, milliseconds), ((int)LifeLabels.Of(labels).DrainGrace.TotalMilliseconds, (int)LifeLabels.Of(labels).ReadyTimeout.TotalMilliseconds));
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once_and_labels_of_others_are_theirs()
    {
        var spec = With(("skep.balance", "x"), ("skep.balance.weight", "y"), ("skep.x", ""), ("skepper", "x"), ("com.example.skep.balance", "x"));
        Assert.Equal(3, ServiceRules.Check(spec).Length);
        Assert.Contains("overlap", Assert.Single(ServiceRules.Check(With(("skep.publish.8000.sources", "::/0"), ("skep.publish.8000-8001.sources", "::/0")))).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3h", 10800)]
    [InlineData("1m30s", 90)]
    [InlineData("1s", 1)]
    [InlineData("0s", null)]
    [InlineData("721h", null)]
    [InlineData("90", null)]
    [InlineData("1h-1m", null)]
    [InlineData("99999999s", null)]
    [InlineData("", null)]
    public void Affinity_lasts_for_a_duration_as_docker_writes_them(string text, int? seconds)
    {
        var spec = With(("skep.balance", "source"), ("skep.balance.timeout", text));
        Assert.Equal(seconds is null, !ServiceRules.Check(spec).IsEmpty);
        Assert.Equal(TimeSpan.FromSeconds(seconds ?? 10800), ServiceLabels.Of(spec).Balance.Timeout);
    }

    [Fact]
    public void What_labels_say_is_read()
    {
        Assert.Equal(new BalanceLabels(BalanceMode.RoundRobin, TimeSpan.FromHours(3), 1, null), ServiceLabels.Of(s_web).Balance);
        Assert.True(ServiceLabels.Of(s_web).Publish.IsEmpty);

        var canary = ServiceLabels.Of(With(("skep.balance", "local-first"), ("skep.balance.weight", "9"), ("skep.balance.with", "shop"))).Balance;
        Assert.Equal((BalanceMode.LocalFirst, 9, "shop"), (canary.Mode, canary.Weight, canary.With));
    }

    [Fact]
    public void A_port_has_what_is_said_for_all_unless_it_has_its_own()
    {
        var spec = With(
            ("skep.publish.sources", "10.1.0.0/16,10.0.0.0/8,2001:DB8::/32,192.0.2.7"),
            ("skep.publish.443.sources", "0.0.0.0/0,::/0"),
            ("skep.publish.8000-8001.nodes", "node.labels.edge==true, node.role!=manager"));
        Assert.Empty(ServiceRules.Check(spec));
        var publish = ServiceLabels.Of(spec).Publish;

        Assert.Equal([(1, 65535), (443, 443), (8000, 8001)], publish.Select(p => ((int)p.First, (int)p.Last)));
        Assert.Equal(["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"], publish[0].Sources);
        Assert.Equal(["0.0.0.0/0", "::/0"], publish[1].Sources);
        Assert.Equal(["node.labels.edge==true", "node.role!=manager"], publish[2].Nodes);
        Assert.Equal(publish[0].Sources, publish[2].Sources);
    }

    [Fact]
    public void An_address_that_a_program_would_write_in_IPv6_for_a_client_of_IPv4_is_one_of_IPv4()
    {
        var spec = With(("skep.publish.sources", "::ffff:192.0.2.7, ::ffff:10.0.0.0/104, fd00::/8"));
        Assert.Empty(ServiceRules.Check(spec));
        Assert.Equal(["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"], ServiceLabels.Of(spec).Publish[0].Sources);
    }

    [Fact]
    public void Headers_are_for_tcp_ports_of_the_mesh()
    {
        var labels = new Dictionary<string, string> { ["skep.publish.80.proxy-protocol"] = "v2" };
        var web = s_web with { Labels = labels };
        Assert.Empty(ServiceRules.Check(web));
        Assert.Equal(2, Assert.Single(ServiceLabels.Of(web).Publish).ProxyProtocol);

        var ports = new PortConfig[] { new() { PublishedPort = 80, TargetPort = 80 }, new() { PublishedPort = 80, TargetPort = 80, Protocol = "udp" } };
        Assert.Equal(
            "label skep.publish.80.proxy-protocol is \"v2\"; it covers port 80/udp, and only TCP has connections that a header can stand before; name ports of TCP alone, as in skep.publish.8000.proxy-protocol",
            Assert.Single(ServiceRules.Check(web with { EndpointSpec = new() { Ports = ports } })).Text);

        // Of a port whose number the managers choose, only the label for all speaks.
        var all = web with { Labels = new Dictionary<string, string> { ["skep.publish.proxy-protocol"] = "v2" } };
        Assert.Empty(ServiceRules.Check(all with { EndpointSpec = new() { Ports = [new() { TargetPort = 80 }] } }));
        Assert.Contains("port 0/sctp", Assert.Single(ServiceRules.Check(all with { EndpointSpec = new() { Ports = [new() { TargetPort = 80, Protocol = "sctp" }] } })).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_done_yet_is_said()
    {
        Assert.Null(ServiceRules.Unsupported(With(("skep.publish.80.sources", "10.0.0.0/8"))));
        Assert.Null(ServiceRules.Unsupported(With(("skep.publish.80.proxy-protocol", "v2"))));
        Assert.Null(ServiceRules.Unsupported(With(("skep.publish.sources", "10.0.0.0/8"), ("skep.publish.9100.addresses", "127.0.0.1"))));
    }

    private static ServiceSpec With(params (string Name, string Value)[] labels) => s_web with { Labels = labels.ToDictionary(l => l.Name, l => l.Value) };
}
