namespace Skep.Bench.Measuring;

/// <summary>One row of the table as measured on one swarm.</summary>
/// <param name="Name">What is measured; the same words for each swarm, since rows meet by them.</param>
/// <param name="Unit"><c>s</c>, <c>MiB</c>, <c>/s</c>, <c>×</c>; shown behind the name.</param>
/// <param name="Bar">What Skep has to reach; null where the row only informs.</param>
public sealed record Figure(string Name, string Unit, Sample Sample, Bar? Bar = null);

/// <summary>A bar, on the median.</summary>
public sealed record Bar(double Value, bool IsCeiling)
{
    public static Bar AtMost(double value) => new(value, IsCeiling: true);

    public static Bar AtLeast(double value) => new(value, IsCeiling: false);

    public bool IsReachedBy(double value) => IsCeiling ? value <= Value : value >= Value;
}
