namespace Skep.Bench.Measuring;

/// <summary>What several runs gave: the median and the extremes.</summary>
public sealed record Sample(double Median, double Least, double Most, int Runs)
{
    public static Sample Of(params IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Sample(median, sorted[0], sorted[^1], sorted.Length);
    }

    /// <summary>Runs <paramref name="measure"/> so many times, one after another.</summary>
    public static async Task<Sample> OfRunsAsync(int runs, Func<Task<double>> measure)
    {
        var values = new List<double>(runs);
        for (var run = 0; run < runs; run++)
        {
            values.Add(await measure());
        }

        return Of(values);
    }
}
