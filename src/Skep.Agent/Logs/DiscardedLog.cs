using Skep.Model.Errors;

namespace Skep.Agent.Logs;

/// <summary>The log of a container whose driver keeps nothing.</summary>
internal sealed class DiscardedLog : IContainerLog
{
    public IAsyncEnumerable<LogEntry> ReadAsync(LogQuery query, CancellationToken cancellationToken) =>
        throw new ClusterException(ErrorKind.NotImplemented, "configured logging driver does not support reading");
}
