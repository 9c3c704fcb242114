using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Skep.Model.Errors;
using Skep.Model.Specs;

namespace Skep.Manager.Certificates;

/// <summary>
/// The swarm's own certificate authority: ECDSA on P-256, a root of 20 years named swarm-ca, and node certificates whose subject
/// says who a node is (CN = node id, OU = swarm-manager or swarm-worker, O = swarm id).
/// </summary>
public sealed class RootAuthority : IDisposable
{
    /// <summary>The name under which every manager can be reached over TLS.</summary>
    public const string ManagerHostName = "swarm-manager";

    public static readonly TimeSpan DefaultNodeLifetime = TimeSpan.FromDays(90);
    private static readonly TimeSpan s_rootLifetime = TimeSpan.FromSeconds(630_720_000);

    // Clocks of nodes differ; a certificate is good a little before it is made.
    private static readonly TimeSpan s_backdate = TimeSpan.FromHours(1);

    private readonly X509Certificate2 _root;
    private readonly TimeProvider _clock;

    private RootAuthority(X509Certificate2 root, TimeProvider clock) => (_root, _clock) = (root, clock);

    /// <summary>The root certificate, PEM with a newline at its end; join tokens carry its digest.</summary>
    public string CertificatePem => _root.ExportCertificatePem() + "\n";

    /// <summary>PKCS#8 of the root's private key.</summary>
    public byte[] ExportKey()
    {
        using var key = _root.GetECDsaPrivateKey() ?? throw new ClusterException(ErrorKind.Internal, "The root certificate has no key.");
        return key.ExportPkcs8PrivateKey();
    }

    public static RootAuthority Create(TimeProvider clock)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=swarm-ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = clock.GetUtcNow();
        return new RootAuthority(request.CreateSelfSigned(now - s_backdate, now + s_rootLifetime), clock);
    }

    public static RootAuthority Load(string certificatePem, ReadOnlySpan<byte> pkcs8Key, TimeProvider clock)
    {
        using var certificate = X509Certificate2.CreateFromPem(certificatePem);
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8Key, out _);
        return new RootAuthority(certificate.CopyWithPrivateKey(key), clock);
    }

    /// <summary>Signs a node's request; only its public key is taken from it, the subject is ours to say.</summary>
    /// <param name="certificateRequest">PKCS#10, DER.</param>
    /// <param name="nodeId">Becomes the common name.</param>
    /// <param name="role">worker or manager.</param>
    /// <param name="swarmId">Becomes the organization.</param>
    /// <param name="lifetime">How long it is valid from now.</param>
    /// <returns>PEM.</returns>
    public string Sign(byte[] certificateRequest, string nodeId, string role, string swarmId, TimeSpan lifetime)
    {
        CertificateRequest sent;
        try
        {
            sent = CertificateRequest.LoadSigningRequest(certificateRequest, HashAlgorithmName.SHA256);
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            throw new ClusterException(ErrorKind.InvalidArgument, $"the certificate request cannot be read: {e.Message}", e);
        }

        var unit = role == NodeSpec.Manager ? ManagerHostName : "swarm-worker";
        var subject = new X500DistinguishedNameBuilder();
        subject.AddOrganizationName(swarmId);
        subject.AddOrganizationalUnitName(unit);
        subject.AddCommonName(nodeId);
        var request = new CertificateRequest(subject.Build(), sent.PublicKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(unit);
        names.AddDnsName(nodeId);
        request.CertificateExtensions.Add(names.Build());

        var now = _clock.GetUtcNow();
        var begin = now - s_backdate;
        var end = now + lifetime;
        Span<byte> serial = stackalloc byte[16];
        RandomNumberGenerator.Fill(serial);
        serial[0] &= 0x7f;
        using var certificate = request.Create(_root, begin > _root.NotBefore ? begin : _root.NotBefore, end < _root.NotAfter ? end : _root.NotAfter, serial);
        return certificate.ExportCertificatePem() + "\n";
    }

    public void Dispose() => _root.Dispose();
}
