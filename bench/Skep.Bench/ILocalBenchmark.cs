using Skep.Bench.Measuring;

namespace Skep.Bench;

/// <summary>A group of rows about one of our parts alone, which needs no swarm and has no peer.</summary>
public interface ILocalBenchmark
{
    /// <summary>The word that picks it on the command line.</summary>
    string Name { get; }

    /// <summary>Measures, and leaves nothing behind on the machine.</summary>
    Task<IReadOnlyList<Figure>> RunAsync(CancellationToken cancellationToken);
}
