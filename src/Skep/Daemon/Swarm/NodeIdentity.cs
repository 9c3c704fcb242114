using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Skep.Manager.Certificates;
using Skep.Model.Errors;
using Skep.Protocol.Records;

namespace Skep.Daemon.Swarm;

/// <summary>Who this node is: its certificate and key, and the root that it trusts. Nobody else's certificates count.</summary>
public sealed class NodeIdentity : IDisposable
{
    private const string RootFile = "swarm-root-ca.crt";
    private const string CertificateFile = "swarm-node.crt";
    private const string KeyFile = "swarm-node.key";
    private const string Next = ".next";

    private readonly X509Certificate2 _root;
    private volatile X509Certificate2 _certificate;

    private NodeIdentity(string folder, X509Certificate2 root, X509Certificate2 certificate)
    {
        Folder = folder;
        _root = root;
        _certificate = certificate;
        Peer = PeerIdentity.From(certificate);
    }

    public string Folder { get; }
    public PeerIdentity Peer { get; }
    public string RootPem => _root.ExportCertificatePem() + "\n";
    public string RootPath => Path.Combine(Folder, RootFile);
    public string CertificatePath => Path.Combine(Folder, CertificateFile);
    public string KeyPath => Path.Combine(Folder, KeyFile);
    public DateTimeOffset NotBefore => _certificate.NotBefore;
    public DateTimeOffset NotAfter => _certificate.NotAfter;
    public byte[] IssuerSubject => _certificate.IssuerName.RawData;
    public byte[] IssuerPublicKey => _root.PublicKey.ExportSubjectPublicKeyInfo();

    /// <summary>A new key with a request for its certificate (PKCS#10, DER).</summary>
    public static (byte[] Request, string KeyPem) NewKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256).CreateSigningRequest();
        return (request, key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>Writes the parts; the certificate last, so that a folder with a certificate is complete.</summary>
    public static NodeIdentity Save(string folder, string rootPem, string certificatePem, string keyPem)
    {
        RecordFile.Write(Path.Combine(folder, RootFile), Encoding.ASCII.GetBytes(rootPem));
        RecordFile.Write(Path.Combine(folder, KeyFile), Encoding.ASCII.GetBytes(keyPem));
        RecordFile.Write(Path.Combine(folder, CertificateFile), Encoding.ASCII.GetBytes(certificatePem));
        return Load(folder) ?? throw new IOException($"the identity in {folder} cannot be read back");
    }

    /// <summary>Null when there is none.</summary>
    /// <exception cref="ClusterException">Internal: there is one that cannot be read.</exception>
    public static NodeIdentity? Load(string folder)
    {
        if (!File.Exists(Path.Combine(folder, CertificateFile)))
        {
            return null;
        }

        try
        {
            return new NodeIdentity(folder, X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, RootFile)), LoadCertificate(folder));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or FileNotFoundException)
        {
            throw new ClusterException(ErrorKind.Internal, $"the identity in {folder} cannot be read ({e.Message}); leave the swarm with --force and join again", e);
        }
    }

    /// <summary>
    /// Takes a fresh certificate into use. Connections that are open keep the old one. Both parts are beside their places before
    /// the first is put there, so a daemon that dies between the two finds the other half when it loads.
    /// </summary>
    /// <exception cref="ClusterException">Unauthorized: the certificate is not for this key, this node or of this swarm; nothing was changed.</exception>
    public void Renew(string certificatePem, string keyPem)
    {
        var next = Checked(certificatePem, keyPem);
        RecordFile.Write(KeyPath + Next, Encoding.ASCII.GetBytes(keyPem));
        RecordFile.Write(CertificatePath + Next, Encoding.ASCII.GetBytes(certificatePem));
        File.Move(KeyPath + Next, KeyPath, overwrite: true);
        File.Move(CertificatePath + Next, CertificatePath, overwrite: true);
        _certificate = next;
    }

    private X509Certificate2 Checked(string certificatePem, string keyPem)
    {
        try
        {
            using var pem = X509Certificate2.CreateFromPem(certificatePem, keyPem);
            if (IsOfThisSwarm(pem) && PeerIdentity.TryFrom(pem)?.NodeId == Peer.NodeId)
            {
                return Usable(pem);
            }
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new ClusterException(ErrorKind.Unauthorized, $"the new certificate cannot be used: {e.Message}", e);
        }

        throw new ClusterException(ErrorKind.Unauthorized, "the new certificate is not of this node or not of this swarm");
    }

    private static X509Certificate2 LoadCertificate(string folder)
    {
        var (certificate, key) = (Path.Combine(folder, CertificateFile), Path.Combine(folder, KeyFile));
        try
        {
            using var pem = X509Certificate2.CreateFromPemFile(certificate, key);
            return Usable(pem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException && File.Exists(certificate + Next))
        {
            // The daemon died while it renewed: the new key is in place, its certificate beside it.
            using var pem = X509Certificate2.CreateFromPemFile(certificate + Next, key);
            File.Move(certificate + Next, certificate, overwrite: true);
            return Usable(pem);
        }
    }

    private static X509Certificate2 Usable(X509Certificate2 pem)
    {
        // A key that came from PEM cannot be used by SslStream on every platform; one from PKCS#12 can.
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    /// <summary>For calls to a manager: shows this node's certificate and accepts only one of this swarm's managers.</summary>
    public SslClientAuthenticationOptions ClientTls() => new()
    {
        ClientCertificates = [_certificate],
        LocalCertificateSelectionCallback = (_, _, _, _, _) => _certificate,
        RemoteCertificateValidationCallback = (_, remote, _, _) => NodeTrust.AcceptsManager(remote, _root),
    };

    public X509Certificate2 ServerCertificate => _certificate;

    /// <summary>Signed by this swarm's root and in its time.</summary>
    public bool IsOfThisSwarm(X509Certificate certificate) => NodeTrust.Accepts(certificate, _root);

    public void Dispose()
    {
        _root.Dispose();
        _certificate.Dispose();
    }
}
