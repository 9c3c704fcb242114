using Google.Protobuf;
using Skep.Agent.Assignments;
using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Protocol.Node;
using Skep.Protocol.Records;

namespace Skep.Daemon.Swarm;

/// <summary>
/// The newest assignments on disk, so that a daemon that starts while no manager can be reached keeps tasks, names and balancing
/// as they were. Bursts become one write; a daemon that is killed loses the last of them, which a manager tells again.
/// </summary>
internal sealed class AssignmentFile(string path, TimeProvider clock, ILogger log)
{
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(5);
    private readonly Coalescer _changed = new(clock, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));
    private AssignmentSet _newest = AssignmentSet.Empty;
    private AssignmentSet _written = AssignmentSet.Empty;

    public void Remember(AssignmentSet set)
    {
        Volatile.Write(ref _newest, set);
        _changed.Signal();
    }

    /// <summary>Null when there is none, or none that can be read.</summary>
    public AssignmentSet? Load()
    {
        try
        {
            return RecordFile.Read(path) is { } bytes && KeptAssignments.Parser.ParseFrom(bytes) is { Assignments: { } last } kept
                ? (AssignmentSet.Empty with { Plan = new NodePlan { NodeId = kept.NodeId, DataPathPort = (ushort)kept.DataPathPort } }).Apply(last)
                : null;
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or System.Text.Json.JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes until the daemon stops, and then what is not written yet: the next one must not begin with less than this one has acted on.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            await _changed.RunAsync(
                async _ =>
                {
                    if (!TryWrite())
                    {
                        await Task.Delay(s_retry, clock, stopping);
                        _changed.Signal();
                    }
                },
                stopping);
        }
        finally
        {
            TryWrite();
        }
    }

    private bool TryWrite()
    {
        var newest = Volatile.Read(ref _newest);
        if (ReferenceEquals(newest, _written))
        {
            return true;
        }

        var kept = new KeptAssignments { NodeId = newest.Plan.NodeId, DataPathPort = newest.Plan.DataPathPort, Assignments = newest.ToMessage() };
        try
        {
            RecordFile.Write(path, kept.ToByteArray());
            _written = newest;
            return true;
        }
        catch (IOException full)
        {
            log.AssignmentsNotSaved(full.Message);
            return false;
        }
    }
}
