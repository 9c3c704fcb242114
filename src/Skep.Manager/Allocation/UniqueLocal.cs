using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Skep.Manager.Allocation;

/// <summary>
/// A swarm's own IPv6 addresses (RFC 4193): fd and forty bits that follow from the swarm's id, so that every manager finds the same and two
/// swarms whose networks meet one day do not clash.
/// </summary>
public static class UniqueLocal
{
    /// <summary>The bits of a network's subnet; what a host needs to make an address by itself (RFC 4291, 2.5.1).</summary>
    public const int SubnetSize = 64;

    private const int PoolSize = 48;

    public static IPNetwork PoolOf(string swarmId)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes("skep/ula/" + swarmId));
        byte[] bytes = [0xfd, .. hash[..5], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        return new IPNetwork(new IPAddress(bytes), PoolSize);
    }
}
