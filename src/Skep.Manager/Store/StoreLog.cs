using Microsoft.Extensions.Logging;

namespace Skep.Manager.Store;

internal static partial class StoreLog
{
    [LoggerMessage(2000, LogLevel.Information, "The store holds {Count} objects at revision {Revision} ({Written} new to this manager, {Removed} gone)")]
    public static partial void StoreLoaded(this ILogger logger, int count, long revision, int written, int removed);

    [LoggerMessage(2001, LogLevel.Debug, "Following the store from revision {Revision}")]
    public static partial void WatchOpened(this ILogger logger, long revision);

    [LoggerMessage(2002, LogLevel.Warning, "The store cannot be followed since revision {Revision}: {Reason}")]
    public static partial void WatchLost(this ILogger logger, string reason, ulong revision);
}
