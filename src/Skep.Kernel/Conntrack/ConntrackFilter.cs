using System.Net;

namespace Skep.Kernel.Conntrack;

/// <summary>Chooses flows: everything that is given must hold; null = any.</summary>
public sealed record ConntrackFilter
{
    /// <summary>6 = TCP, 17 = UDP.</summary>
    public byte? Protocol { get; init; }

    public IPAddress? OriginalSource { get; init; }

    /// <summary>Where the client sent to: a virtual address.</summary>
    public IPAddress? OriginalDestination { get; init; }

    public ushort? OriginalSourcePort { get; init; }

    public ushort? OriginalDestinationPort { get; init; }

    /// <summary>Who answers: a backend.</summary>
    public IPAddress? ReplySource { get; init; }

    public ushort? ReplySourcePort { get; init; }

    public uint? Mark { get; init; }

    public bool Matches(ConntrackEntry entry) =>
        Holds(Protocol, entry.Original.Protocol)
        && Holds(OriginalSource, entry.Original.Source)
        && Holds(OriginalDestination, entry.Original.Destination)
        && Holds(OriginalSourcePort, entry.Original.SourcePort)
        && Holds(OriginalDestinationPort, entry.Original.DestinationPort)
        && Holds(ReplySource, entry.Reply.Source)
        && Holds(ReplySourcePort, entry.Reply.SourcePort)
        && Holds(Mark, entry.Mark);

    private static bool Holds<T>(T? wanted, T actual) where T : struct => wanted is null || wanted.Value.Equals(actual);

    private static bool Holds(IPAddress? wanted, IPAddress actual) => wanted is null || wanted.Equals(actual);
}
