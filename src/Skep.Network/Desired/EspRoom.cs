namespace Skep.Network.Desired;

/// <summary>What ESP takes of a packet's room.</summary>
internal static class EspRoom
{
    // RFC 4303 and RFC 4106: SPI and sequence 8, IV 8, padding's length and next header 2, check value 16.
    private const int Overhead = 34;

    /// <summary>The largest inner packet whose tunnel packet still fits when it is encrypted; that of an inner packet in clear text is given.</summary>
    /// <remarks>What is encrypted is padded to whole words of four bytes; UDP, VXLAN and Ethernet add 30 to the inner packet, the trailer 2.</remarks>
    public static int Within(int clear) => (clear - Overhead) & ~3;
}
