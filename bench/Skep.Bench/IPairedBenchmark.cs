using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench;

/// <summary>
/// A group of rows whose figures are taken in turns, a few seconds on the one swarm and the next on the other: for what is worth nothing
/// but as a ratio on a machine whose load changes from minute to minute.
/// </summary>
public interface IPairedBenchmark
{
    /// <summary>The word that picks it on the command line.</summary>
    string Name { get; }

    /// <summary>Measures, and leaves nothing behind in either swarm.</summary>
    /// <param name="skep">Our swarm.</param>
    /// <param name="peer">The other; null where there is none, and then our figures stand alone.</param>
    /// <param name="cancellationToken">Ends the measuring.</param>
    Task<PairedFigures> RunAsync(BenchSwarm skep, BenchSwarm? peer, CancellationToken cancellationToken);
}

/// <summary>What was measured on each swarm; rows meet by their names. Ratios that were taken pair by pair stand with Skep's.</summary>
public sealed record PairedFigures(IReadOnlyList<Figure> Skep, IReadOnlyList<Figure> Peer);
