using Microsoft.Extensions.Logging.Abstractions;
using Skep.Daemon.Supervision;

namespace Skep.UnitTests.Daemon.Supervision;

public sealed class LoopSupervisorTests
{
    private readonly List<(string Loop, string? Cause)> _fatal = [];

    private LoopSupervisor Supervisor => new((loop, cause) => _fatal.Add((loop, cause?.Message)), NullLogger<LoopSupervisor>.Instance);

    [Fact]
    public async Task An_end_by_our_own_cancellation_is_no_matter()
    {
        using var stopping = new CancellationTokenSource();
        var loop = Supervisor.RunAsync("scheduler", token => Task.Delay(Timeout.Infinite, token), stopping.Token);
        await stopping.CancelAsync();
        await loop;

        Assert.Empty(_fatal);
    }

    [Fact]
    public async Task A_failure_a_quiet_end_and_a_foreign_cancellation_are_fatal()
    {
        await Supervisor.RunAsync("one", _ => throw new FormatException("bad"), CancellationToken.None);
        await Supervisor.RunAsync("two", _ => Task.CompletedTask, CancellationToken.None);
        await Supervisor.RunAsync("three", _ => throw new OperationCanceledException("other"), CancellationToken.None);

        Assert.Equal([("one", "bad"), ("two", null), ("three", "other")], _fatal);
    }
}
