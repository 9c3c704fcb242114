using System.Security.Cryptography.X509Certificates;
using Skep.EngineApi;
using Skep.EngineApi.Swarm;
using Skep.Manager.Control;
using Skep.Model.Objects;
using Skep.Model.Rules;

namespace Skep.Daemon.Http.Swarm;

/// <summary>The swarm's object as clients see it; secret keys stay inside.</summary>
internal static class SwarmAnswers
{
    public static SwarmInspect Of(SwarmCluster cluster) => new(
        cluster.Id,
        ObjectVersion.Of(cluster),
        cluster.CreatedAt,
        cluster.UpdatedAt,
        SpecDefaults.Fill(cluster.Spec) with { CAConfig = SpecDefaults.Fill(cluster.Spec).CAConfig with { SigningCAKey = null } },
        TlsOf(cluster.RootCertificate),
        RootRotationInProgress: false,
        cluster.DefaultAddressPool.Count == 0 ? null : cluster.DefaultAddressPool,
        cluster.SubnetSize,
        cluster.DataPathPort);

    public static SwarmInspect WithTokens(SwarmCluster cluster)
    {
        var (worker, manager) = SwarmControl.Tokens(cluster);
        return Of(cluster) with { JoinTokens = new JoinTokens(worker.ToString(), manager.ToString()) };
    }

    private static TlsInfo TlsOf(string pem)
    {
        using var root = X509Certificate2.CreateFromPem(pem);
        return new TlsInfo
        {
            TrustRoot = pem,
            CertIssuerSubject = root.SubjectName.RawData,
            CertIssuerPublicKey = root.PublicKey.ExportSubjectPublicKeyInfo(),
        };
    }
}
