using Microsoft.Extensions.Logging;

namespace Skep.Network.Sockets;

internal static partial class SocketLog
{
    [LoggerMessage(5701, LogLevel.Information, "Sockets of tasks find backends themselves: programs are attached to {Group}")]
    public static partial void Attached(this ILogger logger, string group);

    [LoggerMessage(5702, LogLevel.Information, "Socket balancing is off, packet rules balance: {Reason}")]
    public static partial void Off(this ILogger logger, string reason);

    [LoggerMessage(5703, LogLevel.Information, "Detached the programs of socket balancing from {Group}")]
    public static partial void Detached(this ILogger logger, string group);

    [LoggerMessage(5704, LogLevel.Error, "Socket balancing failed; its programs are detached and packet rules balance until the next full pass")]
    public static partial void Failed(this ILogger logger, Exception failure);

    [LoggerMessage(5707, LogLevel.Debug, "Connected {Count} datagram sockets of container {Container} to another backend")]
    public static partial void Moved(this ILogger logger, int count, string container);

    [LoggerMessage(5708, LogLevel.Warning, "A datagram socket that is connected to {Backend} could not be given another backend")]
    public static partial void NotMoved(this ILogger logger, Exception failure, string backend);

    [LoggerMessage(5706, LogLevel.Warning, "Repaired sockets: {Difference}")]
    public static partial void SocketsRepaired(this ILogger logger, string difference);

    [LoggerMessage(5705, LogLevel.Debug, "Socket balancing has a new set of maps for {Services} virtual addresses and {Backends} backends")]
    public static partial void Rebuilt(this ILogger logger, int services, int backends);
}
