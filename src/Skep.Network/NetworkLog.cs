using Microsoft.Extensions.Logging;
using Skep.Network.Desired;

namespace Skep.Network;

internal static partial class NetworkLog
{
    [LoggerMessage(5001, LogLevel.Information, "Container {ContainerId} has its network namespace")]
    public static partial void Attached(this ILogger logger, string containerId);

    [LoggerMessage(5002, LogLevel.Information, "Container {ContainerId} has no network namespace any more")]
    public static partial void Detached(this ILogger logger, string containerId);

    [LoggerMessage(5003, LogLevel.Debug, "The kernel holds plan {Revision}")]
    public static partial void Applied(this ILogger logger, ulong revision);

    [LoggerMessage(5004, LogLevel.Warning, "A host port of container {ContainerId} is held by another program, which gets no packet where the container's port is open")]
    public static partial void PortHeldByOther(this ILogger logger, Exception failure, string containerId);

    [LoggerMessage(5005, LogLevel.Error, "A pass over the node's network failed; the next one looks at everything")]
    public static partial void PassFailed(this ILogger logger, Exception failure);

    [LoggerMessage(5006, LogLevel.Warning, "The names of sandbox {Space} are away until its container is found again: {Reason}")]
    public static partial void NamesStayedAway(this ILogger logger, string space, string reason);

    [LoggerMessage(5007, LogLevel.Warning, "The plan was not saved; a restart would begin with an older one until then: {Reason}")]
    public static partial void PlanNotSaved(this ILogger logger, string reason);

    [LoggerMessage(5009, LogLevel.Warning, "This node's choices cannot be saved; new containers wait for room, everything else goes on: {Reason}")]
    public static partial void ChoicesNotSaved(this ILogger logger, string reason);

    [LoggerMessage(5010, LogLevel.Warning, "A new part in this node's keys cannot be saved; what it sends is lost until it can: {Reason}")]
    public static partial void CipherGenerationNotSaved(this ILogger logger, string reason);

    [LoggerMessage(5011, LogLevel.Warning, "Network {Network} has no IPv6 on this node: its packets have {Mtu} bytes here and IPv6 needs 1280. To have it, give the links between the nodes a larger MTU (skep net status shows what each way carries)")]
    public static partial void TooNarrowForIPv6(this ILogger logger, string network, int mtu);

    [LoggerMessage(5020, LogLevel.Warning, "Port {Port} is published by service {Service} and held by {Program} on this node, which keeps it; the node does not listen for the service")]
    public static partial void PublishedPortHeld(this ILogger logger, HeldPort port, string service, string program);

    [LoggerMessage(5021, LogLevel.Information, "Port {Port} is free again; this node listens for the service that publishes it")]
    public static partial void PublishedPortFree(this ILogger logger, HeldPort port);

    [LoggerMessage(5022, LogLevel.Warning, "What the host's programs listen on cannot be read: {Reason}")]
    public static partial void ListenersUnread(this ILogger logger, string reason);

    [LoggerMessage(5023, LogLevel.Warning, "The host's routes cannot be read: {Reason}")]
    public static partial void RoutesUnread(this ILogger logger, string reason);

    [LoggerMessage(5008, LogLevel.Information, "IPsec states of this node are gone; it sends with new keys from now on")]
    public static partial void CipherGenerationRenewed(this ILogger logger);

    [LoggerMessage(5023, LogLevel.Warning, "Table {Table} of another firewall drops in chain {Chain} what must pass: {What}. To let it through: {Remedy}")]
    public static partial void PathBlocked(this ILogger logger, string table, string chain, string what, string remedy);

    [LoggerMessage(5024, LogLevel.Information, "Table {Table}, chain {Chain} no longer cuts off: {Kind}")]
    public static partial void PathOpen(this ILogger logger, string table, string chain, PathKind kind);

    [LoggerMessage(5025, LogLevel.Debug, "Others' packet rules were not read this time: {Reason}")]
    public static partial void FirewallUnread(this ILogger logger, string reason);
}
