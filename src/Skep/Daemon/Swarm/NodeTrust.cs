using System.Security.Cryptography.X509Certificates;

namespace Skep.Daemon.Swarm;

/// <summary>Whether a certificate was signed by a swarm's root and is in its time. The system's own roots do not count.</summary>
internal static class NodeTrust
{
    public static bool Accepts(X509Certificate? certificate, string rootPem)
    {
        using var root = X509Certificate2.CreateFromPem(rootPem);
        return Accepts(certificate, root);
    }

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
