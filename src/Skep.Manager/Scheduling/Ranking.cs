namespace Skep.Manager.Scheduling;

/// <summary>Which of the nodes that fit is the best: least is first. Nodes that keep failing the task come last; then the fewest tasks of the service, then the fewest tasks.</summary>
public readonly record struct Rank(bool Suspect, int OfService, int Active, string Id) : IComparable<Rank>
{
    public static Rank Of(NodeView node, TaskNeeds needs, FailureLog failures, DateTimeOffset now) => new(
        failures.IsSuspect(needs.ServiceId, needs.SpecVersion, node.Id, now), node.TasksOf(needs.ServiceId), node.Active, node.Id);

    public int CompareTo(Rank other)
    {
        var order = Suspect.CompareTo(other.Suspect);
        order = order != 0 ? order : OfService.CompareTo(other.OfService);
        order = order != 0 ? order : Active.CompareTo(other.Active);
        return order != 0 ? order : string.CompareOrdinal(Id, other.Id);
    }

    public static bool operator <(Rank left, Rank right) => left.CompareTo(right) < 0;

    public static bool operator >(Rank left, Rank right) => left.CompareTo(right) > 0;

    public static bool operator <=(Rank left, Rank right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Rank left, Rank right) => left.CompareTo(right) >= 0;
}
