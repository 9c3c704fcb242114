using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Assignments;
using Skep.Daemon.Swarm;
using Skep.Model.Plans;
using Skep.Testing.Time;

namespace Skep.UnitTests.Daemon.Swarm;

public sealed class AssignmentFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-assignments-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_was_not_written_yet_is_written_when_the_daemon_stops()
    {
        var path = Path.Combine(_folder, "assignments.bin");
        using var stop = new CancellationTokenSource();
        var file = new AssignmentFile(path, new ManualClock(), NullLogger.Instance);
        var running = file.RunAsync(stop.Token);
        file.Remember(AssignmentSet.Empty with { Plan = NodePlan.Empty with { NodeId = "node1", Revision = 41 } });
        file.Remember(AssignmentSet.Empty with { Plan = NodePlan.Empty with { NodeId = "node1", Revision = 42 } });
        Assert.Null(file.Load());

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(42u, file.Load()!.Revision);
    }
}
