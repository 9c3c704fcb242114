using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Skep.Rpc;
using Skep.Testing.Rpc;
using static Skep.UnitTests.Rpc.RpcMethods;

namespace Skep.UnitTests.Rpc;

public sealed class StreamTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_stream_comes_in_order_and_ends()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapServerStream(Count, (upTo, _) => NumbersAsync(upTo.Value)));

        var numbers = await server.Channel.ServerStreamAsync(Count, Number(5000), Stop).Select(n => n.Value).ToListAsync(Stop);

        Assert.Equal(Enumerable.Range(0, 5000), numbers);
    }

    [Fact]
    public async Task Answers_before_a_refusal_are_seen_and_then_the_refusal()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapServerStream(Count, (upTo, _) =>
            NumbersAsync(upTo.Value, new RpcException(RpcStatusCode.Aborted, "enough"))));
        var seen = new List<int>();

        var refusal = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (var number in server.Channel.ServerStreamAsync(Count, Number(3), Stop))
            {
                seen.Add(number.Value);
            }
        });

        Assert.Equal((RpcStatusCode.Aborted, "enough"), (refusal.Code, refusal.Message));
        Assert.Equal([0, 1, 2], seen);
    }

    [Fact]
    public async Task A_reader_who_leaves_early_stops_the_server()
    {
        var left = new TaskCompletionSource();
        await using var server = await RpcTestServer.StartAsync(e => e.MapServerStream(Count, (_, context) => EndlessAsync(left, context)));

        var first = await server.Channel.ServerStreamAsync(Count, Number(0), Stop).FirstAsync(Stop);

        Assert.Equal(0, first.Value);
        await left.Task.WaitAsync(Patience, Stop);
    }

    [Fact]
    public async Task A_client_stream_is_summed_up()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapClientStream(Sum, async (numbers, _) =>
            Number(await numbers.Select(n => n.Value).SumAsync())));

        Assert.Equal(4950, (await server.Channel.ClientStreamAsync(Sum, NumbersAsync(100), Stop)).Value);
    }

    [Fact]
    public async Task A_server_may_answer_a_client_stream_before_its_end()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapClientStream(Sum, async (numbers, _) => await numbers.FirstAsync()));

        Assert.Equal(0, (await server.Channel.ClientStreamAsync(Sum, EndlessAsync(null, null), Stop)).Value);
    }

    [Fact]
    public async Task A_server_may_refuse_a_client_stream_before_its_end()
    {
        await using var server = await RpcTestServer.StartAsync(e =>
            e.MapClientStream(Sum, (_, _) => Task.FromException<Int32Value>(new RpcException(RpcStatusCode.PermissionDenied, "not you"))));

        var refusal = await Assert.ThrowsAsync<RpcException>(() => server.Channel.ClientStreamAsync(Sum, EndlessAsync(null, null), Stop));

        Assert.Equal(RpcStatusCode.PermissionDenied, refusal.Code);
    }

    [Fact]
    public async Task What_the_requests_throw_is_thrown_and_the_server_sees_a_reset()
    {
        var ended = new TaskCompletionSource<string>();
        await using var server = await RpcTestServer.StartAsync(e => e.MapClientStream(Sum, async (numbers, _) =>
        {
            try
            {
                var count = await numbers.CountAsync();
                ended.SetResult($"clean after {count}");
            }
            catch (OperationCanceledException)
            {
                ended.SetResult("reset");
                throw;
            }

            return Number(0);
        }));

        await Assert.ThrowsAsync<FormatException>(() =>
            server.Channel.ClientStreamAsync(Sum, NumbersAsync(2, new FormatException()), Stop));

        Assert.Equal("reset", await ended.Task.WaitAsync(Patience, Stop));
    }

    [Fact]
    public async Task A_duplex_call_talks_back_and_forth()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapDuplex(Talk, (numbers, _) => numbers.Select(n => Number(n.Value * 2))));
        await using var call = server.Channel.Duplex(Talk, Stop);
        await using var answers = call.ReadAllAsync(Stop).GetAsyncEnumerator(Stop);

        for (var i = 0; i < 100; i++)
        {
            await call.WriteAsync(Number(i), Stop);
            Assert.True(await answers.MoveNextAsync());
            Assert.Equal(2 * i, answers.Current.Value);
        }

        await call.CompleteAsync();
        Assert.False(await answers.MoveNextAsync());
    }

    [Fact]
    public async Task After_the_half_close_the_server_still_answers()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapDuplex(Talk, AllThenSumAsync));
        await using var call = server.Channel.Duplex(Talk, Stop);
        await call.WriteAsync(Number(1), Stop);
        await call.WriteAsync(Number(2), Stop);
        await call.CompleteAsync();

        Assert.Equal([3, 2], await call.ReadAllAsync(Stop).Select(n => n.Value).ToListAsync(Stop));
    }

    [Fact]
    public async Task A_server_may_end_a_duplex_call_while_the_client_still_writes()
    {
        await using var server = await RpcTestServer.StartAsync(e => e.MapDuplex(Talk, (numbers, _) => numbers.Take(1)));
        await using var call = server.Channel.Duplex(Talk, Stop);
        await call.WriteAsync(Number(4), Stop);

        Assert.Equal([4], await call.ReadAllAsync(Stop).Select(n => n.Value).ToListAsync(Stop));
    }

    [Fact]
    public async Task A_client_that_disposes_a_duplex_call_resets_it()
    {
        var left = new TaskCompletionSource<bool>();
        await using var server = await RpcTestServer.StartAsync(e => e.MapDuplex(Talk, (numbers, context) => WatchedAsync(numbers, context, left)));
        await using (var call = server.Channel.Duplex(Talk, Stop))
        {
            await call.WriteAsync(Number(4), Stop);
            await call.ReadAllAsync(Stop).FirstAsync(Stop);
        }

        Assert.True(await left.Task.WaitAsync(Patience, Stop), "the requests ended cleanly");
    }

    [Fact]
    public async Task A_duplex_call_to_nobody_fails_at_the_first_write_and_read()
    {
        await using var channel = RpcChannel.OverTcp("127.0.0.1", 1, null);
        await using var call = channel.Duplex(Talk, Stop);

        var write = await Assert.ThrowsAsync<RpcException>(() => call.WriteAsync(Number(1), Stop));
        var read = await Assert.ThrowsAsync<RpcException>(async () => await call.ReadAllAsync(Stop).FirstAsync(Stop));

        Assert.Equal((RpcStatusCode.Unavailable, RpcStatusCode.Unavailable), (write.Code, read.Code));
    }

    [Fact]
    public async Task A_server_that_goes_away_ends_its_streams_as_unavailable()
    {
        var channel = Channel.CreateUnbounded<Int32Value>();
        await using var server = await RpcTestServer.StartAsync(e => e.MapServerStream(Count, (_, context) => channel.Reader.ReadAllAsync(context.CancellationToken)));
        await channel.Writer.WriteAsync(Number(1), Stop);
        await using var answers = server.Channel.ServerStreamAsync(Count, Number(0), Stop).GetAsyncEnumerator(Stop);
        Assert.True(await answers.MoveNextAsync());

        var next = answers.MoveNextAsync().AsTask();
        await server.StopAsync();

        var refusal = await Assert.ThrowsAsync<RpcException>(() => next.WaitAsync(Patience, Stop));
        Assert.Contains(refusal.Code, new[] { RpcStatusCode.Unavailable, RpcStatusCode.Cancelled, RpcStatusCode.Internal });
    }

    private static async IAsyncEnumerable<Int32Value> NumbersAsync(int count, Exception? last = null)
    {
        for (var i = 0; i < count; i++)
        {
            if (i % 100 == 7)
            {
                await Task.Yield();
            }

            yield return Number(i);
        }

        if (last is not null)
        {
            throw last;
        }
    }

    private static async IAsyncEnumerable<Int32Value> EndlessAsync(TaskCompletionSource? left, RpcContext? context)
    {
        try
        {
            for (var i = 0; ; i++)
            {
                context?.CancellationToken.ThrowIfCancellationRequested();
                yield return Number(i);
                await Task.Yield();
            }
        }
        finally
        {
            left?.TrySetResult();
        }
    }

    private static async IAsyncEnumerable<Int32Value> AllThenSumAsync(IAsyncEnumerable<Int32Value> numbers, RpcContext context)
    {
        var all = await numbers.ToListAsync(context.CancellationToken);
        yield return Number(all.Sum(n => n.Value));
        await Task.Yield();
        yield return Number(all.Count);
    }

    private static async IAsyncEnumerable<Int32Value> WatchedAsync(
        IAsyncEnumerable<Int32Value> numbers,
        RpcContext context,
        TaskCompletionSource<bool> wasReset)
    {
        try
        {
            await foreach (var number in numbers)
            {
                yield return number;
            }

            wasReset.TrySetResult(false);
        }
        finally
        {
            wasReset.TrySetResult(true);
        }
    }
}
