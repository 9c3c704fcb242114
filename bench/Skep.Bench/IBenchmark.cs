using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench;

/// <summary>One group of rows of the table. It runs once for each swarm, Skep's and the peer's, and rows meet by their name.</summary>
public interface IBenchmark
{
    /// <summary>The word that picks it on the command line: <c>./skep bench scale names</c>.</summary>
    string Name { get; }

    /// <summary>Measures, leaves nothing behind in the swarm, and returns figures; one that the swarm cannot do is left out.</summary>
    Task<IReadOnlyList<Figure>> RunAsync(BenchSwarm swarm, CancellationToken cancellationToken);
}
