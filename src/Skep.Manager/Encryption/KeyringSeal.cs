using System.Security.Cryptography;
using Skep.Manager.Certificates;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Plans;

namespace Skep.Manager.Encryption;

/// <summary>Makes keys that lie wrapped in the store, and opens them for the nodes that need them.</summary>
/// <param name="clusterKey">The managers' key, which lies on no other machine.</param>
public sealed class KeyringSeal(byte[] clusterKey)
{
    private const int SecretSize = 32;

    public ClusterKey Make(DateTimeOffset now) =>
        new(ObjectId.New(), KeyWrap.Wrap(clusterKey, RandomNumberGenerator.GetBytes(SecretSize)), now);

    public PlanKeyring Open(ClusterKeyring ring)
    {
        ArgumentNullException.ThrowIfNull(ring);
        return new([.. ring.Keys.Select(k => new PlanKey(k.Id, KeyWrap.Unwrap(clusterKey, k.WrappedSecret), k.MadeAt))], ring.Sending);
    }
}
