using System.Text.Json.Serialization;

namespace Skep.Model.Plans;

/// <summary>Who gets a service's next new flow.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BalanceMode>))]
public enum BalanceMode
{
    /// <summary>Each in turn; with weights in a smooth sequence that is always the same.</summary>
    RoundRobin,

    /// <summary>Anybody, by weight.</summary>
    Random,

    /// <summary>Whoever had the client's last flow, until the client was silent for <see cref="PlanBalance.AffinitySeconds"/>; a new client's as in turn.</summary>
    Source,

    /// <summary>Each of this node's in turn; all of them while this node has none.</summary>
    LocalFirst,
}

/// <summary>How a service's new flows are shared out. Weight is that of each of its own tasks, 1 to 100.</summary>
public sealed record PlanBalance(BalanceMode Mode, int Weight = 1)
{
    /// <summary>In turn, everybody alike, nobody else's tasks: what a service is without a word about it.</summary>
    public static readonly PlanBalance Default = new(BalanceMode.RoundRobin);

    /// <summary>Only with <see cref="BalanceMode.Source"/>.</summary>
    public uint? AffinitySeconds { get; init; }

    /// <summary>Other services whose tasks serve this one's VIP and published ports too (canaries), by id; null = none.</summary>
    public IReadOnlyList<PlanMember>? Members { get; init; }
}

/// <summary>Weight is that of each task of the service.</summary>
public sealed record PlanMember(string ServiceId, int Weight);

/// <summary>
/// Who may reach published ports, and where. What is null restricts nothing. Of several that cover a port the narrowest
/// counts; it has all that is to be said of the port.
/// </summary>
public sealed record PlanPortAccess(ushort First, ushort Last)
{
    /// <summary>Ids of the nodes that listen, in order; empty = none.</summary>
    public IReadOnlyList<string>? Nodes { get; init; }

    /// <summary>Prefixes of the local addresses that listen: 10.77.1.0/24, 127.0.0.1/32.</summary>
    public IReadOnlyList<string>? Addresses { get; init; }

    /// <summary>Prefixes of the clients that find somebody listening.</summary>
    public IReadOnlyList<string>? Sources { get; init; }

    /// <summary>The task is told the client's address by a PROXY protocol header of this version; null = there is none.</summary>
    public int? ProxyProtocol { get; init; }

    public bool Covers(uint port) => port >= First && port <= Last;

    /// <summary>It is said of all ports, whatever their numbers are.</summary>
    public bool IsGeneral => (First, Last) == (1, ushort.MaxValue);

    /// <summary>What restricts a port; null = nothing.</summary>
    public static PlanPortAccess? Narrowest(IReadOnlyList<PlanPortAccess>? all, uint port) => all?.Where(a => a.Covers(port)).MinBy(a => a.Last - a.First);

    // Lists are compared by what is in them.
    public bool Equals(PlanPortAccess? other) =>
        other is not null && (First, Last, ProxyProtocol) == (other.First, other.Last, other.ProxyProtocol)
        && Same(Nodes, other.Nodes) && Same(Addresses, other.Addresses) && Same(Sources, other.Sources);

    public override int GetHashCode() => HashCode.Combine(First, Last, Nodes?.Count, Addresses?.Count, Sources?.Count);

    private static bool Same(IReadOnlyList<string>? one, IReadOnlyList<string>? other) =>
        ReferenceEquals(one, other) || (one is not null && other is not null && one.SequenceEqual(other, StringComparer.Ordinal));
}
