namespace Skep.Network.Desired;

/// <summary>A published port that a program of this host has; the node does not listen on it for the swarm.</summary>
public readonly record struct HeldPort(string Protocol, uint Port) : IComparable<HeldPort>
{
    public int CompareTo(HeldPort other) =>
        string.CompareOrdinal(Protocol, other.Protocol) is var protocol and not 0 ? protocol : Port.CompareTo(other.Port);

    public static bool operator <(HeldPort left, HeldPort right) => left.CompareTo(right) < 0;

    public static bool operator >(HeldPort left, HeldPort right) => left.CompareTo(right) > 0;

    public static bool operator <=(HeldPort left, HeldPort right) => left.CompareTo(right) <= 0;

    public static bool operator >=(HeldPort left, HeldPort right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"{Port}/{Protocol}";
}
