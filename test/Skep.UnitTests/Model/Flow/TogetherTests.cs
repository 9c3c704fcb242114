using Skep.Model.Flow;

namespace Skep.UnitTests.Model.Flow;

public sealed class TogetherTests
{
    [Fact]
    public async Task AFailureEndsTheOthersAndIsTheCallers()
    {
        var ended = new TaskCompletionSource();
        var failure = await Assert.ThrowsAsync<IOException>(() => Together.RunAsync(
            TestContext.Current.CancellationToken,
            async stopping =>
            {
                try
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopping);
                }
                finally
                {
                    ended.SetResult();
                }
            },
            async _ =>
            {
                await Task.Yield();
                throw new IOException("the disk is full");
            }));

        Assert.Equal("the disk is full", failure.Message);
        Assert.True(ended.Task.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task OneThatReturnsLeavesTheOthersRunning()
    {
        var go = new TaskCompletionSource();
        var all = Together.RunAsync(TestContext.Current.CancellationToken, _ => Task.CompletedTask, _ => go.Task);
        Assert.False(all.IsCompleted);
        go.SetResult();
        await all;
    }

    [Fact]
    public async Task BeingStoppedIsToldAsSuch()
    {
        using var stopping = new CancellationTokenSource();
        var all = Together.RunAsync(stopping.Token, token => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token));
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => all);
    }
}
