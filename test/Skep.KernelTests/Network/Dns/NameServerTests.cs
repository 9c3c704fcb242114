using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Nftables;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Network.Dns;
using Skep.Testing.Dns;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network.Dns;

/// <summary>Real queries from within a sandbox to 127.0.0.11:53, over UDP and TCP.</summary>
public sealed class NameServerTests : IAsyncLifetime
{
    private const string Id = "c0ffee";
    private static readonly IPEndPoint s_place = new(IPAddress.Parse("127.0.0.11"), 53);
    private static readonly string s_outsideAddress = "10.90.0.2";

    private readonly NamespaceFixture _spaces = new("names");
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(30));
    private readonly NetworkNamespace _sandbox;
    private readonly DnsTestServer _outside;
    private NameServer _names = Server();

    public NameServerTests()
    {
        _sandbox = _spaces.Create("sandbox");
        var upstream = _spaces.Create("upstream");
        NamespaceFixture.Join(_sandbox, "eth0", "10.90.0.1/24", upstream, "eth0", $"{s_outsideAddress}/24");
        var datagrams = NamespaceFixture.OpenSocket(upstream, SocketType.Dgram, ProtocolType.Udp);
        datagrams.Bind(new IPEndPoint(IPAddress.Any, 53));
        _outside = new DnsTestServer(datagrams, NamespaceFixture.Listen(upstream, 53), query => DnsMessage.Reply(query, 0, "192.0.2.9"));
        _names.Update(NamesExample.Plan);
    }

    private CancellationToken Limit => _limit.Token;

    public async ValueTask InitializeAsync()
    {
        await new Nftables(_sandbox).RunAsync(NameRules.Transaction, Limit);
        Assert.StartsWith("nameserver 127.0.0.11\n", await AddAsync(_names));
    }

    [Theory]
    [InlineData("web", DnsMessage.A, "10.0.1.2")]
    [InlineData("www.front", DnsMessage.A, "10.0.1.2")]
    [InlineData("tasks.web", DnsMessage.A, "10.0.1.11 10.0.1.12 10.0.1.13")]
    [InlineData("web.2.abc", DnsMessage.A, "10.0.1.12")]
    [InlineData("c0ffeeweb003", DnsMessage.A, "10.0.1.13")]
    [InlineData("db", DnsMessage.Aaaa, "fd00:2::11")]
    [InlineData("web", DnsMessage.Aaaa, "")]
    [InlineData("web", DnsMessage.Mx, "")]
    [InlineData("13.1.0.10.in-addr.arpa", DnsMessage.Ptr, "web.3.abc.front")]
    [InlineData("_http._tcp.db", DnsMessage.Srv, "")]
    public async Task A_name_is_the_same_over_both_transports_and_nobody_outside_hears_of_it(string name, ushort type, string data)
    {
        foreach (var answer in new[] { await AskAsync(name, type), await ConverseAsync(name, type) })
        {
            Assert.Equal(0, answer.Code);
            Assert.Equal(data.Split(' ', StringSplitOptions.RemoveEmptyEntries), answer.Texts.Order());
        }

        Assert.Empty(_outside.Asked);
    }

    [Fact]
    public async Task A_service_record_tells_port_and_target() =>
        Assert.Equal(["0 0 80 web.1.abc.front", "0 0 80 web.2.abc.front", "0 0 80 web.3.abc.front"], (await AskAsync("_http._tcp.web", DnsMessage.Srv)).Texts.Order());

    [Fact]
    public async Task Any_other_name_goes_to_the_server_outside_over_the_askers_transport()
    {
        Assert.Equal(["192.0.2.9"], (await AskAsync("up.test", DnsMessage.A)).Texts);
        Assert.Equal(["192.0.2.9"], (await ConverseAsync("up.test", DnsMessage.A)).Texts);

        Assert.Equal(["udp", "tcp"], _outside.Asked.Select(a => a.Transport));
    }

    [Fact]
    public async Task Many_queries_of_one_connection_are_answered_in_order()
    {
        using var socket = NamespaceFixture.OpenSocket(_sandbox, SocketType.Stream, ProtocolType.Tcp);
        var queries = Enumerable.Range(1, 40).Select(i => DnsMessage.Query($"rr.{i}.abc", DnsMessage.A, (ushort)i)).ToList();

        var answers = await DnsAsker.ConverseAsync(socket, s_place, queries, Limit);

        Assert.Equal(Enumerable.Range(1, 40).Select(i => ((ushort)i, $"10.0.1.{100 + i}")), answers.Select(a => (a.Id, a.Texts.Single())));
    }

    [Fact]
    public async Task A_long_answer_is_cut_over_udp_and_whole_over_tcp()
    {
        var cut = await AskAsync("rr", DnsMessage.A);
        Assert.True(cut.Truncated);
        Assert.InRange(cut.Answers.Count, 24, 31);
        Assert.Equal(40, (await ConverseAsync("rr", DnsMessage.A)).Answers.Count);
    }

    [Fact]
    public async Task A_name_server_of_the_container_itself_has_port_53_for_its_own()
    {
        using var own = NamespaceFixture.OpenSocket(_sandbox, SocketType.Dgram, ProtocolType.Udp);
        own.Bind(new IPEndPoint(IPAddress.Any, 53));
        using var listener = NamespaceFixture.Listen(_sandbox, 53);

        Assert.Equal(["10.0.1.2"], (await AskAsync("web", DnsMessage.A)).Texts);
        Assert.Equal(["10.0.1.2"], (await ConverseAsync("web", DnsMessage.A)).Texts);

        using var asker = NamespaceFixture.OpenSocket(_sandbox, SocketType.Dgram, ProtocolType.Udp);
        await asker.SendToAsync(DnsMessage.Query("web", DnsMessage.A), new IPEndPoint(IPAddress.Loopback, 53), Limit);
        var got = await own.ReceiveFromAsync(new byte[512], new IPEndPoint(IPAddress.Any, 0), Limit);
        Assert.True(got.ReceivedBytes > 12);
    }

    [Fact]
    public async Task A_new_plan_is_seen_by_the_next_query()
    {
        var front = NamesExample.FrontPlan with
        {
            Endpoints = NamesExample.FrontPlan.Endpoints.SetItem("web.9", NamesExample.Task(NamesExample.Front, "web", 9, "10.0.1.19/24")).Remove("web.1"),
        };
        _names.Update(NamesExample.Plan with { Revision = 2, Networks = NamesExample.Plan.Networks.SetItem(NamesExample.Front.Id, front) });

        Assert.Equal(["10.0.1.12", "10.0.1.13", "10.0.1.19"], (await AskAsync("tasks.web", DnsMessage.A)).Texts.Order());
    }

    [Fact]
    public async Task A_network_that_leaves_the_plan_takes_its_names_along()
    {
        _names.Update(NamesExample.Plan with { Revision = 2, Networks = ImmutableDictionary<string, NetworkPlan>.Empty });

        Assert.Equal(["192.0.2.9"], (await AskAsync("web", DnsMessage.A)).Texts);
    }

    [Fact]
    public async Task Removing_it_frees_the_sockets_and_removing_twice_is_no_error()
    {
        await _names.RemoveAsync(Id, Limit);
        await _names.RemoveAsync(Id, Limit);

        Assert.DoesNotContain("127.0.0.11", await NamespaceFixture.RunAsync(_sandbox, "ss", "-Hlntu"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Adding_it_again_changes_its_servers()
    {
        Assert.Contains("search own.test\n", await AddAsync(_names, new DnsConfig { Search = ["own.test"], Nameservers = ["127.0.53.53"] }), StringComparison.Ordinal);

        Assert.Equal(2, (await AskAsync("up.test", DnsMessage.A)).Code);
        Assert.Equal(["10.0.1.2"], (await AskAsync("web", DnsMessage.A)).Texts);
    }

    [Fact]
    public async Task Adding_what_is_there_keeps_its_sockets_so_that_no_query_is_lost()
    {
        var before = await NamespaceFixture.RunAsync(_sandbox, "ss", "-Hlntue");
        await AddAsync(_names);

        Assert.Contains("127.0.0.11", before, StringComparison.Ordinal);
        Assert.Equal(before, await NamespaceFixture.RunAsync(_sandbox, "ss", "-Hlntue"));
    }

    [Fact]
    public async Task Several_adds_at_once_leave_one_server()
    {
        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => AddAsync(_names)));

        Assert.Equal(["10.0.1.2"], (await AskAsync("web", DnsMessage.A)).Texts);
        Assert.Equal(2, (await NamespaceFixture.RunAsync(_sandbox, "ss", "-Hlntu")).Split('\n').Count(line => line.Contains("127.0.0.11", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Sandboxes_of_one_node_are_served_side_by_side()
    {
        var other = _spaces.Create("other");
        await new Nftables(other).RunAsync(NameRules.Transaction, Limit);
        await _names.AddAsync(new SandboxNames("other", "t2", other.Origin) { Networks = [NamesExample.Back], External = false }, Limit);

        Assert.Equal(["10.0.1.2"], (await AskAsync("web", DnsMessage.A)).Texts);
        Assert.Equal(["10.0.2.11"], (await AskAsync("db", DnsMessage.A, other)).Texts);
        Assert.Equal(2, (await AskAsync("web", DnsMessage.A, other)).Code);
    }

    [Theory]
    [InlineData(SocketType.Dgram, ProtocolType.Udp)]
    [InlineData(SocketType.Stream, ProtocolType.Tcp)]
    public async Task While_the_daemon_is_away_an_asker_waits_and_the_next_daemon_answers(SocketType type, ProtocolType protocol)
    {
        await _names.DisposeAsync();
        using var socket = NamespaceFixture.OpenSocket(_sandbox, type, protocol);
        var query = DnsMessage.Query("web", DnsMessage.A);
        var waiting = type == SocketType.Stream ? First(DnsAsker.ConverseAsync(socket, s_place, [query], Limit)) : DnsAsker.AskAsync(socket, s_place, query, Limit);

        // A refusal would be back by the time that the new server is bound.
        _names = Server();
        _names.Update(NamesExample.Plan);
        await AddAsync(_names);
        Assert.False(waiting.IsFaulted, waiting.Exception?.Message);
        if (type == SocketType.Dgram)
        {
            // What resolvers do after their patience: the same question on the same socket.
            await socket.SendAsync(query, Limit);
        }

        Assert.Equal(["10.0.1.2"], (await waiting).Texts);
    }

    public async ValueTask DisposeAsync()
    {
        await _names.DisposeAsync();
        await _outside.DisposeAsync();
        _spaces.Dispose();
        _limit.Dispose();
    }

    private static NameServer Server() => new([], TimeProvider.System, NullLogger<NameServer>.Instance);

    private static async Task<DnsMessage> First(Task<IReadOnlyList<DnsMessage>> answers) => (await answers)[0];

    private Task<string> AddAsync(NameServer names, DnsConfig? dns = null) => names.AddAsync(
        new SandboxNames(Id, "t1", _sandbox.Origin)
        {
            Networks = [NamesExample.Ingress, NamesExample.Front, NamesExample.Back],
            Dns = dns ?? new DnsConfig { Nameservers = [s_outsideAddress] },
        },
        Limit);

    private async Task<DnsMessage> AskAsync(string name, ushort type, NetworkNamespace? from = null)
    {
        using var socket = NamespaceFixture.OpenSocket(from ?? _sandbox, SocketType.Dgram, ProtocolType.Udp);
        return await DnsAsker.AskAsync(socket, s_place, DnsMessage.Query(name, type), Limit);
    }

    private async Task<DnsMessage> ConverseAsync(string name, ushort type)
    {
        using var socket = NamespaceFixture.OpenSocket(_sandbox, SocketType.Stream, ProtocolType.Tcp);
        return (await DnsAsker.ConverseAsync(socket, s_place, [DnsMessage.Query(name, type)], Limit))[0];
    }
}
