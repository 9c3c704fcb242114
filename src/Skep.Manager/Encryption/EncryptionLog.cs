using Microsoft.Extensions.Logging;

namespace Skep.Manager.Encryption;

internal static partial class EncryptionLog
{
    [LoggerMessage(3801, LogLevel.Information, "The encrypted networks have {Count} keys now and send with {Sending}")]
    public static partial void KeysChanged(this ILogger logger, int count, string sending);

    [LoggerMessage(3802, LogLevel.Warning, "A step of the encrypted networks' keys waits for the store: {Reason}")]
    public static partial void KeysUnwritten(this ILogger logger, string reason);

    [LoggerMessage(3803, LogLevel.Warning, "Not every node has confirmed the encrypted networks' keys in time; those that lag may lose packets of these networks until they have")]
    public static partial void NodesNotWaitedFor(this ILogger logger);
}
