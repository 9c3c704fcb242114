using System.Net;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Skep.Rpc;
using Skep.Testing.Rpc;
using static Skep.UnitTests.Rpc.RpcMethods;

namespace Skep.UnitTests.Rpc;

public sealed class UnaryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_goes_and_its_answer_comes()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapUnary(Echo, (m, _) => Task.FromResult(Word(m.Value + "!"))));

        var answer = await server.Channel.UnaryAsync(Echo, Word("hé"), Stop);

        Assert.Equal("hé!", answer.Value);
    }

    [Fact]
    public async Task An_empty_message_is_a_message()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapUnary(Echo, (m, _) => Task.FromResult(m)));

        Assert.Equal("", (await server.Channel.UnaryAsync(Echo, new StringValue(), Stop)).Value);
    }

    [Fact]
    public async Task Many_calls_share_one_connection()
    {
        var connections = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        await using var server = await RpcTestServer.StartAsync(e => e.MapUnary(Echo, async (m, context) =>
        {
            connections[context.HttpContext.Connection.Id] = true;
            await Task.Yield();
            return m;
        }));

        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => server.Channel.UnaryAsync(Echo, Word($"{i}"), Stop)));

        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"{i}"), answers.Select(a => a.Value));
        Assert.Single(connections);
    }

    [Fact]
    public async Task Twenty_megabytes_go_both_ways()
    {
        var bytes = new byte[20 * 1024 * 1024];
        new Random(7).NextBytes(bytes);
        await using var server = await RpcTestServer.StartAsync(e => e.MapUnary(Bytes, (m, _) => Task.FromResult(m)));

        var answer = await server.Channel.UnaryAsync(Bytes, new BytesValue { Value = ByteString.CopyFrom(bytes) }, Stop);

        Assert.True(answer.Value.Span.SequenceEqual(bytes));
    }

    [Fact]
    public async Task Headers_of_the_channel_reach_the_handler()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapUnary(Echo, (_, context) =>
            Task.FromResult(Word($"{context.HttpContext.Request.Headers["containerd-namespace"]},{context.RemoteAddress}"))));

        var answer = await server.Channel.WithHeader("containerd-namespace", "skep").UnaryAsync(Echo, Word(""), Stop);
        var without = await server.Channel.UnaryAsync(Echo, Word(""), Stop);

        Assert.Equal($"skep,{IPAddress.None}", answer.Value);
        Assert.Equal($",{IPAddress.None}", without.Value);
    }

    [Fact]
    public async Task A_refusal_arrives_with_code_and_sentence()
    {
        await using var server = await RpcTestServer.StartAsync(e =>
            e.MapUnary(Echo, (_, _) => throw new RpcException(RpcStatusCode.NotFound, "no “100%” here\nat all")));

        var refusal = await Assert.ThrowsAsync<RpcException>(() => server.Channel.UnaryAsync(Echo, Word(""), Stop));

        Assert.Equal((RpcStatusCode.NotFound, "no “100%” here\nat all"), (refusal.Code, refusal.Message));
    }

    [Fact]
    public async Task Exceptions_of_the_program_go_through_the_mapper_and_others_keep_their_secret()
    {
        await using var server = await RpcTestServer.StartAsync(
            e => e.MapUnary(Echo, (m, _) => throw (m.Value == "known" ? new KeyNotFoundException("gone") : new FormatException("inner matter"))),
            error => error is KeyNotFoundException ? new RpcException(RpcStatusCode.NotFound, error.Message) : null);

        var known = await Assert.ThrowsAsync<RpcException>(() => server.Channel.UnaryAsync(Echo, Word("known"), Stop));
        var other = await Assert.ThrowsAsync<RpcException>(() => server.Channel.UnaryAsync(Echo, Word("other"), Stop));

        Assert.Equal((RpcStatusCode.NotFound, "gone"), (known.Code, known.Message));
        Assert.Equal(RpcStatusCode.Unknown, other.Code);
        Assert.DoesNotContain("inner matter", other.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_method_that_is_not_there_is_unimplemented()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapUnary(Echo, (m, _) => Task.FromResult(m)));

        var refusal = await Assert.ThrowsAsync<RpcException>(() => server.Channel.UnaryAsync(Bytes, new BytesValue(), Stop));

        Assert.Equal(RpcStatusCode.Unimplemented, refusal.Code);
    }

    [Fact]
    public async Task Without_a_server_the_call_is_unavailable()
    {
        await using var lost = RpcChannel.OverUnixSocket(Path.Combine(Path.GetTempPath(), $"skep-none-{Guid.NewGuid():N}.sock"));

        var refusal = await Assert.ThrowsAsync<RpcException>(() => lost.UnaryAsync(Echo, Word(""), Stop));

        Assert.Equal(RpcStatusCode.Unavailable, refusal.Code);
    }

    [Fact]
    public async Task A_caller_who_cancels_sees_it_at_once_and_so_does_the_handler()
    {
        var entered = new TaskCompletionSource();
        var left = new TaskCompletionSource();
        await using var server = await RpcTestServer.StartAsync(e => e.MapUnary(Echo, async (m, context) =>
        {
            entered.SetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
            }
            finally
            {
                left.SetResult();
            }

            return m;
        }));
        using var cancel = new CancellationTokenSource();

        var call = server.Channel.UnaryAsync(Echo, Word(""), cancel.Token);
        await entered.Task.WaitAsync(Patience, Stop);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await left.Task.WaitAsync(Patience, Stop);
    }
}
