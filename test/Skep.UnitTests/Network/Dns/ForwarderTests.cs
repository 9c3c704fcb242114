using System.Net;
using System.Net.Sockets;
using Skep.Network.Dns;
using Skep.Testing.Dns;
using Skep.Testing.Time;

namespace Skep.UnitTests.Network.Dns;

public sealed class ForwarderTests : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private readonly ManualClock _clock = new();
    private readonly int _port = FreePort();
    private readonly List<DnsTestServer> _servers = [];
    private readonly Forwarder _forwarder;
    private readonly CancellationTokenSource _limit = new(s_limit);

    public ForwarderTests() => _forwarder = new Forwarder((family, type, protocol) => new Socket(family, type, protocol), _clock, _port);

    private CancellationToken Limit => _limit.Token;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_answer_comes_back_with_the_askers_id_over_the_same_transport(bool overTcp)
    {
        var server = Server("127.0.53.1", q => DnsMessage.Reply(q, 0, "192.0.2.9"));

        var answer = await AskAsync(overTcp, "127.0.53.1");

        Assert.Equal((0x1234, 0), (answer.Id, answer.Code));
        Assert.Equal(["192.0.2.9"], answer.Texts);
        Assert.Equal(77u, answer.Answers[0].TimeToLive);
        Assert.Equal([(overTcp ? "tcp" : "udp", "up.test")], server.Asked.Select(a => (a.Transport, a.Query.Question)));
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(5, false)]
    [InlineData(2, true)]
    public async Task A_server_that_fails_or_refuses_is_followed_by_the_next(int code, bool overTcp)
    {
        Server("127.0.53.1", q => DnsMessage.Reply(q, code));
        Server("127.0.53.2", q => DnsMessage.Reply(q, 0, "192.0.2.9"));

        Assert.Equal(["192.0.2.9"], (await AskAsync(overTcp, "127.0.53.1", "127.0.53.2")).Texts);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(0)]
    public async Task No_such_name_and_an_empty_answer_are_final(int code)
    {
        Server("127.0.53.1", q => DnsMessage.Reply(q, code));
        var second = Server("127.0.53.2", q => DnsMessage.Reply(q, 0, "192.0.2.9"));

        Assert.Equal(code, (await AskAsync(false, "127.0.53.1", "127.0.53.2")).Code);
        Assert.Empty(second.Asked);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_silent_server_has_four_seconds(bool overTcp)
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Server("127.0.53.1", _ => { heard.TrySetResult(); return null; });
        Server("127.0.53.2", q => DnsMessage.Reply(q, 0, "192.0.2.9"));

        var asking = AskAsync(overTcp, "127.0.53.1", "127.0.53.2");
        await heard.Task.WaitAsync(Limit);
        if (!overTcp)
        {
            // Over TCP the test server closes instead, which is trouble at once.
            _clock.Advance(TimeSpan.FromSeconds(3.9));
            Assert.False(asking.IsCompleted);
            _clock.Advance(TimeSpan.FromSeconds(0.2));
        }

        Assert.Equal(["192.0.2.9"], (await asking).Texts);
    }

    [Fact]
    public async Task Where_nobody_listens_and_where_nobody_is_asked_the_answer_is_servfail()
    {
        Assert.Equal(2, (await AskAsync(false, "127.0.53.1")).Code);
        Assert.Equal(2, (await AskAsync(true, "127.0.53.1")).Code);
        Assert.Equal(2, (await AskAsync(false)).Code);
    }

    [Fact]
    public async Task An_answer_with_another_id_or_without_the_answer_bit_is_ignored()
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Parse("127.0.53.1"), _port));
        var asking = AskAsync(false, "127.0.53.1");
        var buffer = new byte[512];
        var got = await server.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), Limit);
        var query = buffer[..got.ReceivedBytes];

        var forged = DnsMessage.Reply(query, 0, "203.0.113.1");
        forged[1] ^= 1;
        await server.SendToAsync(forged, got.RemoteEndPoint, Limit);
        await server.SendToAsync(query, got.RemoteEndPoint, Limit);
        await server.SendToAsync((byte[])[1, 2, 3], got.RemoteEndPoint, Limit);
        await server.SendToAsync(DnsMessage.Reply(query, 0, "192.0.2.9"), got.RemoteEndPoint, Limit);

        Assert.Equal(["192.0.2.9"], (await asking).Texts);
    }

    [Fact]
    public async Task A_large_answer_comes_whole_when_the_asker_takes_it()
    {
        Server("127.0.53.1", q => DnsMessage.Reply(q, 0, [.. Enumerable.Range(1, 250).Select(i => $"192.0.2.{i}")]));

        var answer = await _forwarder.AskAsync(DnsMessage.Query("up.test", DnsMessage.A, payload: 8000), [IPAddress.Parse("127.0.53.1")], overTcp: false, Limit);

        Assert.Equal(250, DnsMessage.Parse(answer).Answers.Count);
    }

    [Fact]
    public async Task Queries_beyond_the_places_are_refused_after_four_seconds()
    {
        Server("127.0.53.1", _ => null);
        Server("127.0.53.2", _ => null);
        var asking = Enumerable.Range(0, 1024).Select(_ => AskAsync(false, "127.0.53.1", "127.0.53.2")).ToList();
        var late = AskAsync(false, "127.0.53.1", "127.0.53.2");

        // The others go on to the second server then, and keep their places.
        await _clock.UntilArmedAsync(1025, Limit);
        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(5, (await late).Code);
        await _clock.UntilArmedAsync(1024, Limit);
        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.All(await Task.WhenAll(asking), answer => Assert.Equal(2, answer.Code));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        _forwarder.Dispose();
        _limit.Dispose();
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private DnsTestServer Server(string address, Func<byte[], byte[]?> answer)
    {
        _servers.Add(DnsTestServer.At(address, _port, answer));
        return _servers[^1];
    }

    private async Task<DnsMessage> AskAsync(bool overTcp, params string[] servers) =>
        DnsMessage.Parse(await _forwarder.AskAsync(DnsMessage.Query("up.test", DnsMessage.A), [.. servers.Select(IPAddress.Parse)], overTcp, Limit));
}
