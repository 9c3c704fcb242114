using Skep.Model.Flow;
using Skep.Testing.Time;

namespace Skep.UnitTests.Model.Flow;

public sealed class CoalescerTests : IDisposable
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(120);

    private readonly ManualClock _clock = new();
    private readonly CancellationTokenSource _stopping = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_signal_there_is_no_pass_and_with_many_there_is_one()
    {
        var coalescer = new Coalescer(_clock, s_quiet, s_longest);
        var next = coalescer.NextAsync(_stopping.Token);
        Assert.False(next.IsCompleted);

        coalescer.Signal();
        coalescer.Signal();
        await _clock.UntilArmedAsync(1, Cancelled);
        _clock.Advance(s_quiet);

        await next.WaitAsync(TimeSpan.FromSeconds(10), Cancelled);
        Assert.False(coalescer.NextAsync(_stopping.Token).IsCompleted);
    }

    [Fact]
    public async Task Signals_that_never_stop_are_cut_off_at_the_longest()
    {
        var coalescer = new Coalescer(_clock, s_quiet, s_longest);
        var begun = _clock.GetUtcNow();
        var next = coalescer.NextAsync(_stopping.Token);
        coalescer.Signal();
        for (var i = 0; i < 2; i++)
        {
            await _clock.UntilArmedAsync(1, Cancelled);
            _clock.Advance(s_quiet - TimeSpan.FromMilliseconds(1));
            var due = _clock.NextDue;
            coalescer.Signal();
            Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => _clock.NextDue is { } now && now != due, TimeSpan.FromSeconds(10)), Cancelled));
        }

        Assert.Equal(begun + s_longest, _clock.NextDue);
        _clock.Advance(s_longest);
        await next.WaitAsync(TimeSpan.FromSeconds(10), Cancelled);
    }

    [Fact]
    public async Task A_signal_during_a_pass_causes_exactly_one_more()
    {
        var coalescer = new Coalescer(_clock, TimeSpan.Zero, TimeSpan.Zero);
        var passes = new SemaphoreSlim(0);
        var go = new SemaphoreSlim(0);
        var count = 0;
        var running = coalescer.RunAsync(
            async cancellationToken =>
            {
                count++;
                passes.Release();
                await go.WaitAsync(cancellationToken);
            },
            _stopping.Token);

        coalescer.Signal();
        await passes.WaitAsync(Cancelled);
        coalescer.Signal();
        coalescer.Signal();
        go.Release();
        await passes.WaitAsync(Cancelled);
        go.Release();

        await _stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(2, count);
    }

    public void Dispose() => _stopping.Dispose();
}
