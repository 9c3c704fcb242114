using Skep.Bench.Swarms;

namespace Skep.Bench.Measuring;

/// <param name="Process">Whose network it asks from.</param>
/// <param name="Clients">Connections at a time.</param>
/// <param name="NewConnections">Each request opens a connection of its own.</param>
internal sealed record WrkLoad(int Process, int Clients, bool NewConnections)
{
    private static readonly int[] s_numbers = [1, 32];

    /// <summary>
    /// Every way of asking that bars are on: requests one at a time and 32, on kept and on new connections, and a file of 1 MiB on kept ones; the file also
    /// by the machine's own congestion control, where that holds packets back.
    /// </summary>
    public static IReadOnlyList<WrkLoad> Kinds(int process) =>
    [
        .. from fresh in new[] { false, true }
           from clients in s_numbers
           select new WrkLoad(process, clients, fresh),
        .. from congestion in CongestionControl.All
           from clients in s_numbers
           select new WrkLoad(process, clients, false) { Path = BenchImages.Bulk, Congestion = congestion },
    ];

    /// <summary>What is asked for; empty is a page of three bytes.</summary>
    public string Path { get; init; } = "";

    /// <summary>The servers' congestion control.</summary>
    public string Congestion { get; init; } = CongestionControl.Plain;

    /// <summary>Ask as a program of that process' container does: from its control group of version 2 too.</summary>
    public bool InGroup { get; init; }

    public int Seconds { get; init; } = 3;

    /// <summary>The one processor that it may use; null for all.</summary>
    public int? Processor { get; init; }
}
