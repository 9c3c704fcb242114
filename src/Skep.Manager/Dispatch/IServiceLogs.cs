namespace Skep.Manager.Dispatch;

/// <summary>Logs of tasks, fetched from the nodes that have them.</summary>
public interface IServiceLogs
{
    /// <summary>
    /// Entries as they arrive; each node's are in order. Ends when every node has given all it has; with Follow only on
    /// cancellation, and tasks that come later are included. What could not be had is said in a last message with a Problem.
    /// </summary>
    IAsyncEnumerable<ServiceLogMessage> ReadAsync(ServiceLogQuery query, CancellationToken cancellationToken);
}

/// <summary>Either a service or a task is named. Tail null = everything.</summary>
public sealed record ServiceLogQuery
{
    public string? ServiceId { get; init; }
    public string? TaskId { get; init; }
    public bool Stdout { get; init; }
    public bool Stderr { get; init; }
    public bool Follow { get; init; }
    public int? Tail { get; init; }
    public DateTimeOffset? Since { get; init; }
}

/// <summary>Source is 1 (stdout) or 2 (stderr). Problem is set on a message that has no line but says why some are missing.</summary>
public sealed record ServiceLogMessage(string NodeId, string ServiceId, string TaskId, DateTimeOffset Time, byte Source, ReadOnlyMemory<byte> Line)
{
    public string? Problem { get; init; }
}
