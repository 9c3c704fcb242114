using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Node;

namespace Skep.Manager.Certificates;

/// <summary>How a machine becomes a node: it shows a join token and gets an identity.</summary>
public sealed class MembershipService(IClusterStore store, RootAuthority authority, TimeProvider clock, ILogger<MembershipService> log)
{
    public GetRootResponse GetRoot() => new() { RootCertificate = authority.CertificatePem };

    /// <summary>Makes a node object for whoever shows a valid token, and signs its certificate.</summary>
    /// <exception cref="ClusterException">Unauthorized: the token is none of this swarm's.</exception>
    public async Task<EnrollResponse> EnrollAsync(EnrollRequest request, CancellationToken cancellationToken)
    {
        var cluster = Cluster();
        var role = RoleOf(cluster, request.Token);
        if (role == NodeSpec.Manager)
        {
            throw new ClusterException(
                ErrorKind.NotImplemented,
                "this version of Skep runs a swarm with one manager; join this node with the worker token (docker swarm join-token worker)");
        }

        var availability = request.Availability.Length == 0 ? NodeSpec.Active : request.Availability;
        if (availability is not (NodeSpec.Active or NodeSpec.Pause or NodeSpec.Drain))
        {
            throw ClusterException.Invalid($"invalid Availability: \"{request.Availability}\"");
        }

        var now = clock.GetUtcNow();
        var node = new SwarmNode
        {
            Id = ObjectId.New(),
            CreatedAt = now,
            UpdatedAt = now,
            Role = role,
            Spec = new NodeSpec { Role = role, Availability = availability },
            Status = new NodeStatus { State = NodeState.Unknown },
        };
        var certificate = Sign(cluster, request.CertificateRequest.ToByteArray(), node.Id, role);
        await store.CommitAsync(new StoreTransaction().Create(node), cancellationToken);
        log.NodeEnrolled(node.Id, role);
        return new EnrollResponse { NodeId = node.Id, Role = role, Certificates = certificate };
    }

    /// <summary>A fresh certificate for a node that has one; the role is the one that the managers want now.</summary>
    public EnrollResponse Renew(RenewRequest request, PeerIdentity peer)
    {
        var cluster = Cluster();
        if (!store.Current.Nodes.TryGetValue(peer.NodeId, out var node))
        {
            throw new ClusterException(ErrorKind.Forbidden, $"node {peer.NodeId} is no member of this swarm");
        }

        return new EnrollResponse
        {
            NodeId = node.Id,
            Role = node.Role,
            Certificates = Sign(cluster, request.CertificateRequest.ToByteArray(), node.Id, node.Role),
        };
    }

    private SwarmCluster Cluster() =>
        store.Current.Cluster ?? throw new ClusterException(ErrorKind.Unavailable, "the swarm is being prepared");

    private string Sign(SwarmCluster cluster, byte[] request, string nodeId, string role)
    {
        var lifetime = cluster.Spec.CAConfig.NodeCertExpiry is > 0 and { } nanoseconds
            ? TimeSpan.FromMicroseconds(nanoseconds / 1000.0)
            : RootAuthority.DefaultNodeLifetime;
        return authority.Sign(request, nodeId, role, cluster.Id, lifetime);
    }

    private static string RoleOf(SwarmCluster cluster, string text)
    {
        if (JoinToken.TryParse(text, out var token) && token.RootDigest == JoinToken.DigestOf(cluster.RootCertificate))
        {
            if (Same(token.Secret, cluster.WorkerTokenSecret))
            {
                return NodeSpec.Worker;
            }

            if (Same(token.Secret, cluster.ManagerTokenSecret))
            {
                return NodeSpec.Manager;
            }
        }

        throw new ClusterException(ErrorKind.Unauthorized, "A valid join token is necessary to join this cluster");
    }

    private static bool Same(string a, string b) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(a), Encoding.ASCII.GetBytes(b));
}
