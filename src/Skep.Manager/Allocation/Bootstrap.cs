using Skep.Manager.Store;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.Manager.Allocation;

/// <summary>The objects that a swarm has from its first moment.</summary>
public static class Bootstrap
{
    public const string IngressName = "ingress";

    /// <summary>
    /// The transaction that makes a swarm: <paramref name="cluster"/> as given, the first node when there is one, and the ingress
    /// network, of both families if <paramref name="ipv6"/>. The network's subnets and identifier come with the leader's first pass.
    /// </summary>
    public static StoreTransaction FirstTransaction(SwarmCluster cluster, SwarmNode? firstNode, DateTimeOffset now, bool ipv6 = false)
    {
        var transaction = new StoreTransaction().Create(cluster);
        if (firstNode is not null)
        {
            transaction.Create(firstNode);
        }

        return transaction.Create(IngressNetwork(now, ipv6));
    }

    public static SwarmNetwork IngressNetwork(DateTimeOffset now, bool ipv6) => new()
    {
        Id = ObjectId.New(),
        CreatedAt = now,
        UpdatedAt = now,
        Spec = new NetworkSpec
        {
            Name = IngressName,
            Ingress = true,
            EnableIPv6 = ipv6,
            DriverConfiguration = new Driver { Name = "overlay" },
            IPAMOptions = new IpamOptions { Driver = new Driver { Name = "default" } },
        },
    };
}
