namespace Skep.Daemon.Swarm;

internal static partial class SwarmLog
{
    [LoggerMessage(1101, LogLevel.Information, "This node is {NodeId}, {Role} of swarm {SwarmId}")]
    public static partial void Joined(this ILogger log, string nodeId, string role, string swarmId);

    [LoggerMessage(1102, LogLevel.Information, "This node has left its swarm")]
    public static partial void Left(this ILogger log);

    [LoggerMessage(1103, LogLevel.Error, "The membership from before cannot be taken up: {Reason}")]
    public static partial void ResumeFailed(this ILogger log, string reason);

    [LoggerMessage(1104, LogLevel.Information, "The certificate of this node was renewed; it is valid until {NotAfter}")]
    public static partial void CertificateRenewed(this ILogger log, DateTimeOffset notAfter);

    [LoggerMessage(1105, LogLevel.Warning, "The certificate of this node could not be renewed: {Reason}")]
    public static partial void RenewalFailed(this ILogger log, string reason);

    [LoggerMessage(1106, LogLevel.Warning, "The assignments were not saved; a restart without managers would begin with older ones until then: {Reason}")]
    public static partial void AssignmentsNotSaved(this ILogger log, string reason);

    [LoggerMessage(1107, LogLevel.Warning, "What an earlier daemon left could not be taken away yet: {Reason}")]
    public static partial void NotTidied(this ILogger log, string reason);
}
