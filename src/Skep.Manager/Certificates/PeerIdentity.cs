using System.Security.Cryptography.X509Certificates;
using Skep.Model.Errors;
using Skep.Model.Specs;

namespace Skep.Manager.Certificates;

/// <summary>Who is at the other end of a connection, read from a certificate that was already found to be of this swarm.</summary>
public sealed record PeerIdentity(string NodeId, string Role, string SwarmId)
{
    private const string CommonName = "2.5.4.3";
    private const string OrganizationalUnit = "2.5.4.11";
    private const string Organization = "2.5.4.10";

    /// <exception cref="ClusterException">Unauthorized: no certificate, or none of a node.</exception>
    public static PeerIdentity From(X509Certificate2? certificate)
    {
        if (certificate is null)
        {
            throw new ClusterException(ErrorKind.Unauthorized, "this call needs a node certificate");
        }

        return TryFrom(certificate)
            ?? throw new ClusterException(ErrorKind.Unauthorized, $"the certificate {certificate.Subject} is not a node's");
    }

    /// <summary>Null when there is no certificate, or none of a node.</summary>
    public static PeerIdentity? TryFrom(X509Certificate2? certificate)
    {
        string? node = null, unit = null, swarm = null;
        foreach (var part in certificate?.SubjectName.EnumerateRelativeDistinguishedNames() ?? [])
        {
            if (part.HasMultipleElements)
            {
                return null;
            }

            switch (part.GetSingleElementType().Value)
            {
                case CommonName: node = part.GetSingleElementValue(); break;
                case OrganizationalUnit: unit = part.GetSingleElementValue(); break;
                case Organization: swarm = part.GetSingleElementValue(); break;
            }
        }

        return (node, unit, swarm) switch
        {
            ({ } id, RootAuthority.ManagerHostName, { } of) => new PeerIdentity(id, NodeSpec.Manager, of),
            ({ } id, "swarm-worker", { } of) => new PeerIdentity(id, NodeSpec.Worker, of),
            _ => null,
        };
    }
}
