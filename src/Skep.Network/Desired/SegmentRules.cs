namespace Skep.Network.Desired;

/// <summary>
/// Keeps both ends of a TCP connection from segments that the way between them cannot carry, where their own links carry more: a
/// client of the mesh on a LAN of 1500 bytes, a task whose link was made before the path to another node shrank.
/// </summary>
internal static class SegmentRules
{
    public const string Rule = "tcp flags syn / syn,rst tcp option maxseg size set rt mtu";

    public static readonly WantedChain Chain = new("segments", "type filter hook forward priority mangle; policy accept;", [Rule]);
}
