namespace Skep.Bench.Measuring;

/// <param name="Process">Whose network it asks from.</param>
/// <param name="Clients">Connections at a time.</param>
/// <param name="NewConnections">Each request opens a connection of its own.</param>
internal sealed record WrkLoad(int Process, int Clients, bool NewConnections)
{
    /// <summary>Ask as a program of that process' container does: from its control group of version 2 too.</summary>
    public bool InGroup { get; init; }

    public int Seconds { get; init; } = 3;

    /// <summary>The one processor that it may use; null for all.</summary>
    public int? Processor { get; init; }
}
