namespace Skep.Network.Desired;

/// <summary>The kind of object that a share comes from.</summary>
public enum ShareSource
{
    /// <summary>A node of a network; the id is the node's.</summary>
    Peer,

    /// <summary>A service as it is seen on a network; the id is the service's.</summary>
    Service,

    /// <summary>A task's place on a network; the id is the task's.</summary>
    Endpoint,

    /// <summary>A sandbox of this node; the id is the container's, and there is no network.</summary>
    Sandbox,
}

/// <summary>What a share of a namespace's wish comes from. Ordered: where two shares want one thing differently, the first has it.</summary>
public readonly record struct ShareKey(ShareSource Source, string NetworkId, string Id) : IComparable<ShareKey>
{
    // As numbers: to compare two values of an enumeration, both are boxed.
    public int CompareTo(ShareKey other) =>
        Source != other.Source ? ((int)Source).CompareTo((int)other.Source)
        : string.CompareOrdinal(NetworkId, other.NetworkId) is var network and not 0 ? network
        : string.CompareOrdinal(Id, other.Id);

    public static bool operator <(ShareKey left, ShareKey right) => left.CompareTo(right) < 0;

    public static bool operator >(ShareKey left, ShareKey right) => left.CompareTo(right) > 0;

    public static bool operator <=(ShareKey left, ShareKey right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ShareKey left, ShareKey right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"{Source} {Id}{(NetworkId.Length == 0 ? "" : $" on {NetworkId}")}";
}
