using System.Net;
using Skep.Network.Desired;

namespace Skep.Network.Local;

/// <summary>The subnets that a gateway bridge may take, in Docker's order; 172.17.0.0/16 is docker0's.</summary>
internal static class GatewaySubnets
{
    /// <summary>
    /// The first of <paramref name="wished"/>, or of Docker's own when there is no wish, that overlaps nothing that the host has a
    /// route to; null when every one does.
    /// </summary>
    public static IPNetwork? Choose(IReadOnlyCollection<IPNetwork> taken, IReadOnlyList<IPNetwork> wished)
    {
        foreach (var candidate in (wished.Count > 0 ? wished : Candidates()).Where(c => !taken.Any(t => Addressing.Overlap(t, c))))
        {
            return candidate;
        }

        return null;
    }

    private static IEnumerable<IPNetwork> Candidates()
    {
        for (byte second = 18; second < 32; second++)
        {
            yield return new IPNetwork(new IPAddress([172, second, 0, 0]), 16);
        }

        for (var third = 0; third < 256; third += 16)
        {
            yield return new IPNetwork(new IPAddress([192, 168, (byte)third, 0]), 20);
        }
    }
}
