using Microsoft.Extensions.Logging;

namespace Skep.Manager.Certificates;

internal static partial class CertificatesLog
{
    [LoggerMessage(3101, LogLevel.Information, "Node {NodeId} joined as {Role}")]
    public static partial void NodeEnrolled(this ILogger log, string nodeId, string role);
}
