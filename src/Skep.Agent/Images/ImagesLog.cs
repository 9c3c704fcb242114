using Microsoft.Extensions.Logging;

namespace Skep.Agent.Images;

internal static partial class ImagesLog
{
    [LoggerMessage(3101, LogLevel.Information, "Image {Reference} pulled: {Id}, {Layers} layers")]
    public static partial void ImagePulled(this ILogger logger, string reference, string id, int layers);

    [LoggerMessage(3102, LogLevel.Information, "Image {Id} imported as {Reference}")]
    public static partial void ImageImported(this ILogger logger, string id, string reference);

    [LoggerMessage(3103, LogLevel.Information, "Image {Id} loaded from an archive as {Names}")]
    public static partial void ImageLoaded(this ILogger logger, string id, string names);

    [LoggerMessage(3104, LogLevel.Information, "Image {Id} removed")]
    public static partial void ImageRemoved(this ILogger logger, string id);

    [LoggerMessage(3105, LogLevel.Debug, "Transfer of {Digest} broke at {Offset} of {Size} bytes: {Reason}")]
    public static partial void TransferBroken(this ILogger logger, string digest, long offset, long size, string reason);

    [LoggerMessage(3106, LogLevel.Warning, "Image record {Name} cannot be read and is left out: {Reason}")]
    public static partial void RecordUnreadable(this ILogger logger, string name, string reason);

    [LoggerMessage(3107, LogLevel.Debug, "Lease {Lease} could not be given back; it expires by itself: {Reason}")]
    public static partial void LeaseLeft(this ILogger logger, string lease, string reason);
}
