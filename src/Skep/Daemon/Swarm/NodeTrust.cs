using System.Security.Cryptography.X509Certificates;
using Skep.Manager.Certificates;
using Skep.Model.Specs;

namespace Skep.Daemon.Swarm;

/// <summary>Whether a certificate was signed by a swarm's root and is in its time. The system's own roots do not count.</summary>
internal static class NodeTrust
{
    /// <summary>
    /// Whether it is one of this swarm's managers. The role in the subject is what counts; the host name of the call is an
    /// address, and managers move.
    /// </summary>
    public static bool AcceptsManager(X509Certificate? certificate, X509Certificate2 root) =>
        Accepts(certificate, root) && PeerIdentity.TryFrom(certificate as X509Certificate2)?.Role == NodeSpec.Manager;

    public static bool Accepts(X509Certificate? certificate, X509Certificate2 root)
    {
        if (certificate is not X509Certificate2 full)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(full);
    }
}
