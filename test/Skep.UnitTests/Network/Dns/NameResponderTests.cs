using Skep.Model.Plans;
using Skep.Network.Dns;
using Skep.Testing.Dns;

namespace Skep.UnitTests.Network.Dns;

public sealed class NameResponderTests
{
    private const int Forwarded = 0;

    [Theory]
    [InlineData("web", "10.0.1.2")]
    [InlineData("WeB", "10.0.1.2")]
    [InlineData("web.front", "10.0.1.2")]
    [InlineData("www", "10.0.1.2")]
    [InlineData("tasks.web", "10.0.1.11 10.0.1.12 10.0.1.13")]
    [InlineData("tasks.www.front", "10.0.1.11 10.0.1.12 10.0.1.13")]
    [InlineData("web.1.abc", "10.0.1.11")]
    [InlineData("web.1.abc.front", "10.0.1.11")]
    [InlineData("c0ffeeweb002", "10.0.1.12")]
    [InlineData("web-peer", "10.0.1.11 10.0.1.12 10.0.1.13")]
    [InlineData("db", "10.0.2.11")]
    [InlineData("db.back", "10.0.2.11")]
    public void A_name_of_the_swarm_is_answered(string name, string addresses)
    {
        var answer = Ask(name, DnsMessage.A);

        Assert.Equal(addresses.Split(' '), answer.Texts.Order());
        Assert.All(answer.Answers, a => Assert.Equal((name, 600u), (a.Name, a.TimeToLive)));
        Assert.Equal((0x1234, 0x8180, name), (answer.Id, answer.Flags, answer.Question));
    }

    [Theory]
    [InlineData("nosuch", DnsMessage.A)]
    [InlineData("tasks.nosuch", DnsMessage.A)]
    [InlineData("web.back", DnsMessage.A)]
    [InlineData("web.4.abc", DnsMessage.A)]
    [InlineData("web.example.test", DnsMessage.A)]
    [InlineData("", DnsMessage.A)]
    [InlineData("nosuch", DnsMessage.Txt)]
    [InlineData("9.2.0.192.in-addr.arpa", DnsMessage.Ptr)]
    [InlineData("x.1.0.10.in-addr.arpa", DnsMessage.Ptr)]
    [InlineData("_http._tcp.nosuch", DnsMessage.Srv)]
    public void Any_other_name_is_left_to_the_servers_outside(string name, ushort type) => Assert.Equal(Forwarded, Length(name, type));

    [Theory]
    [InlineData("web", DnsMessage.Aaaa)]
    [InlineData("web", DnsMessage.Mx)]
    [InlineData("web", DnsMessage.Txt)]
    [InlineData("web", DnsMessage.Srv)]
    [InlineData("idle", DnsMessage.A)]
    [InlineData("tasks.idle", DnsMessage.A)]
    public void What_a_known_name_lacks_is_answered_with_nothing_and_stays_inside(string name, ushort type)
    {
        var answer = Ask(name, type);

        Assert.Equal(0, answer.Code);
        Assert.Empty(answer.Answers);
    }

    [Fact]
    public void A_name_with_both_families_gives_each_its_own()
    {
        Assert.Equal(["10.0.2.11"], Ask("db", DnsMessage.A).Texts);
        Assert.Equal(["fd00:2::11"], Ask("db", DnsMessage.Aaaa).Texts);
    }

    [Theory]
    [InlineData("11.1.0.10.in-addr.arpa", "web.1.abc.front")]
    [InlineData("2.1.0.10.in-addr.arpa", "web.front")]
    [InlineData("1.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.0.0.d.f.ip6.arpa", "db.1.xyz.Back")]
    public void An_address_has_the_name_of_its_task_or_service(string reverse, string name) => Assert.Equal([name], Ask(reverse, DnsMessage.Ptr).Texts);

    [Theory]
    [InlineData("_http._tcp.web")]
    [InlineData("_http._tcp.web.front")]
    [InlineData("_80._tcp.www")]
    public void A_service_has_a_record_with_port_and_target_per_task(string name)
    {
        var answer = Ask(name, DnsMessage.Srv);

        Assert.Equal(["0 0 80 web.1.abc.front", "0 0 80 web.2.abc.front", "0 0 80 web.3.abc.front"], answer.Texts.Order());
        Assert.Equal(["10.0.1.11", "10.0.1.12", "10.0.1.13"], answer.Additional.Select(a => a.Text).Order());
    }

    [Theory]
    [InlineData("_smtp._tcp.web")]
    [InlineData("_http._udp.web")]
    public void A_port_that_a_service_does_not_publish_has_no_record(string name) => Assert.Empty(Ask(name, DnsMessage.Srv).Answers);

    [Theory]
    [InlineData(null, 30, true)]
    [InlineData(512, 30, true)]
    [InlineData(100, 30, true)]
    [InlineData(661, 39, true)]
    [InlineData(662, 40, false)]
    [InlineData(1232, 40, false)]
    public void An_answer_over_udp_is_cut_to_what_the_asker_takes(int? payload, int count, bool truncated)
    {
        // Header and question take 22 bytes, each address 16.
        var answer = Ask("rr40", DnsMessage.A, (ushort?)payload, responder: Responder("rr40"));

        Assert.Equal((count, truncated), (answer.Answers.Count, answer.Truncated));
    }

    [Fact]
    public void Askers_get_every_address_first_now_and_then_even_when_two_names_take_turns()
    {
        var responder = Responder();
        var first = new HashSet<string>();
        for (var i = 0; i < 200; i++)
        {
            _ = Ask("rr", DnsMessage.A, 4096, responder);
            first.Add(Ask("web-peer", DnsMessage.A, 4096, responder).Texts[0]);
        }

        Assert.Equal(3, first.Count);
    }

    [Fact]
    public void Forty_addresses_come_whole_and_once_each()
    {
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(40, Ask("rr", DnsMessage.A, 4096).Texts.Distinct().Count());
        }
    }

    [Fact]
    public void With_ndots_set_a_name_without_a_dot_never_leaves()
    {
        var responder = new NameResponder(keepDotless: true);

        Assert.Equal((0, 0), (Ask("nosuch", DnsMessage.A, null, responder).Code, Ask("nosuch", DnsMessage.Aaaa, null, responder).Answers.Count));
        Assert.Equal(Forwarded, responder.Answer(DnsMessage.Query("no.such", DnsMessage.A), new byte[512], overUdp: true));
        Assert.Equal(Forwarded, responder.Answer(DnsMessage.Query("nosuch", DnsMessage.Mx), new byte[512], overUdp: true));
    }

    [Fact]
    public void A_new_scope_is_used_by_the_next_query()
    {
        var responder = Responder();
        responder.Replace(new NameScope([], null));

        Assert.Equal(Forwarded, responder.Answer(DnsMessage.Query("web", DnsMessage.A), new byte[512], overUdp: true));
    }

    internal static NameResponder Responder(string? more = null)
    {
        var front = NamesExample.FrontPlan;
        if (more is not null)
        {
            front = front with { Services = front.Services.Add("more", new PlanService(NamesExample.Front.Id, "rr-id", more, [])) };
        }

        var responder = new NameResponder();
        responder.Replace(new NameScope([NetworkNames.Of(front), NetworkNames.Of(NamesExample.BackPlan)], NetworkNames.Of(NamesExample.IngressPlan)));
        return responder;
    }

    private static DnsMessage Ask(string name, ushort type, ushort? payload = null, NameResponder? responder = null)
    {
        var answer = new byte[4096];
        var length = (responder ?? Responder()).Answer(DnsMessage.Query(name, type, payload: payload), answer, overUdp: true);
        Assert.True(length > 0, $"{name} was left to others: {length}");
        return DnsMessage.Parse(answer.AsSpan(0, length));
    }

    private static int Length(string name, ushort type) => Responder().Answer(DnsMessage.Query(name, type), new byte[4096], overUdp: true);
}
