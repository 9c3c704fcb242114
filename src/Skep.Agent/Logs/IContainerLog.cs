namespace Skep.Agent.Logs;

/// <summary>What a container wrote. Safe to read while it is being written.</summary>
public interface IContainerLog
{
    /// <summary>
    /// Entries in the order in which they were written; with <see cref="LogQuery.Follow"/> the sequence ends when the container
    /// has ended and all it wrote was given.
    /// </summary>
    IAsyncEnumerable<LogEntry> ReadAsync(LogQuery query, CancellationToken cancellationToken);
}

/// <summary>Tail null = everything; 0 = nothing that is there already.</summary>
public sealed record LogQuery
{
    public bool Stdout { get; init; } = true;
    public bool Stderr { get; init; } = true;
    public bool Follow { get; init; }
    public int? Tail { get; init; }
    public DateTimeOffset? Since { get; init; }
    public DateTimeOffset? Until { get; init; }
}

/// <summary>One line (or a 16 KiB piece of one). Line keeps its newline where it had one.</summary>
public readonly record struct LogEntry(DateTimeOffset Time, LogSource Source, ReadOnlyMemory<byte> Line);

public enum LogSource : byte
{
    Stdout = 1,
    Stderr = 2,
}
