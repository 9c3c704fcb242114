using Skep.Model.Flow;

namespace Skep.UnitTests.Model.Flow;

public sealed class WatchedTests
{
    private readonly Watched<int> _watched = new(1, (next, old) => next > old);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public void A_value_that_supersedes_nothing_is_refused()
    {
        Assert.True(_watched.TryPublish(3));
        Assert.False(_watched.TryPublish(3));
        Assert.False(_watched.TryPublish(2));
        Assert.Equal(3, _watched.Value);
    }

    [Fact]
    public async Task A_slow_reader_skips_to_the_newest()
    {
        await using var reader = _watched.WatchAsync(Cancelled).GetAsyncEnumerator(Cancelled);
        Assert.True(await reader.MoveNextAsync());
        Assert.Equal(1, reader.Current);
        for (var i = 2; i < 10; i++)
        {
            _watched.TryPublish(i);
        }

        Assert.True(await reader.MoveNextAsync());
        Assert.Equal(9, reader.Current);
        var next = reader.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        _watched.TryPublish(10);
        Assert.True(await next);
    }

    [Fact]
    public async Task Waiting_ends_with_a_value_that_is_enough_or_with_its_token()
    {
        var five = _watched.WaitAsync(v => v >= 5, Cancelled);
        using var going = new CancellationTokenSource();
        var never = _watched.WaitAsync(v => v < 0, going.Token);
        _watched.TryPublish(4);
        Assert.False(five.IsCompleted);
        _watched.TryPublish(6);
        Assert.Equal(6, await five);
        await going.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => never);
    }

    [Fact]
    public async Task Of_many_writers_the_highest_value_stays_and_every_reader_sees_it()
    {
        var readers = Enumerable.Range(0, 4).Select(_ => _watched.WaitAsync(v => v == 4000, Cancelled)).ToList();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(w => Task.Run(
            () =>
            {
                for (var i = 1; i <= 1000; i++)
                {
                    _watched.TryPublish((i * 4) - w);
                }
            },
            Cancelled)));

        Assert.All(await Task.WhenAll(readers).WaitAsync(TimeSpan.FromSeconds(10), Cancelled), v => Assert.Equal(4000, v));
    }
}
