using Skep.Agent.Tasks;
using Skep.Model.Objects;
using Skep.Model.States;
using Skep.Protocol.Node;
using Skep.Protocol.Records;

namespace Skep.UnitTests.Agent.Tasks;

public sealed class StatusReporterTests
{
    private readonly StatusReporter _reporter = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_several_states_of_a_task_the_newest_is_told_once()
    {
        _reporter.Report("t1", Status(TaskState.Accepted));
        _reporter.Report("t1", Status(TaskState.Running));
        _reporter.Report("t2", Status(TaskState.Failed));

        Assert.Equal(["t1 Running", "t2 Failed"], Text(await _reporter.NextAsync(Cancelled)));
        var next = _reporter.NextAsync(Cancelled);
        Assert.False(next.IsCompleted);
        _reporter.Report("t2", Status(TaskState.Shutdown));
        Assert.Equal(["t2 Shutdown"], Text(await next));
    }

    [Fact]
    public async Task A_new_session_is_told_everything_again_but_not_what_is_gone()
    {
        _reporter.Report("t1", Status(TaskState.Running));
        _reporter.Report("t2", Status(TaskState.Running));
        await _reporter.NextAsync(Cancelled);

        _reporter.Forget(id => id == "t2");
        _reporter.Restart();

        Assert.Equal(["t2 Running"], Text(await _reporter.NextAsync(Cancelled)));
    }

    [Fact]
    public async Task Waiting_ends_with_its_token()
    {
        using var going = new CancellationTokenSource();
        var next = _reporter.NextAsync(going.Token);
        await going.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    private static SwarmTaskStatus Status(TaskState state) => new() { State = state };

    private static IEnumerable<string> Text(TaskStatuses statuses) => statuses.Changes
        .Select(c => $"{c.TaskId} {RecordCodec.Decode(c.Status.Span, RecordJson.Default.SwarmTaskStatus).State}")
        .Order(StringComparer.Ordinal);
}
