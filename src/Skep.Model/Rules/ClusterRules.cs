using System.Collections.Immutable;
using Skep.Model.Specs;

namespace Skep.Model.Rules;

public static class ClusterRules
{
    private const long Hour = 3_600_000_000_000;

    public static ImmutableArray<Problem> Check(ClusterSpec spec)
    {
        var problems = ImmutableArray.CreateBuilder<Problem>();
        if (spec.CAConfig.NodeCertExpiry is { } expiry and not 0 && expiry < Hour)
        {
            problems.Add(new Problem("minimum certificate expiry time is: 1h0m0s"));
        }

        if (spec.Dispatcher.HeartbeatPeriod < 0)
        {
            problems.Add(new Problem("heartbeat time period cannot be a negative duration"));
        }

        problems.AddRange(EncryptionRules.Check(spec));
        return problems.ToImmutable();
    }

    /// <summary>What Swarm does and this version does not; null when there is nothing of that.</summary>
    public static string? Unsupported(ClusterSpec spec) => spec switch
    {
        { EncryptionConfig.AutoLockManagers: true } => "autolock is not done by this version",
        { CAConfig.SigningCACert.Length: > 0 } or { CAConfig.SigningCAKey.Length: > 0 } or { CAConfig.ForceRotate: > 0 } =>
            "rotation of the root certificate is not done by this version",
        _ => null,
    };
}
