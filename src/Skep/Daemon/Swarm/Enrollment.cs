using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Skep.Agent.Session;
using Skep.Manager.Certificates;
using Skep.Model.Errors;
using Skep.Protocol.Node;
using Skep.Rpc;

namespace Skep.Daemon.Swarm;

/// <summary>
/// How a machine gets its identity. The join token's digest says which root to trust, so the first answer of an unknown machine
/// is checked before the token's secret is shown to it.
/// </summary>
internal static class Enrollment
{
    /// <param name="address">host:port of a manager.</param>
    /// <param name="tokenText">The join token.</param>
    /// <param name="availability">active, pause, drain or empty.</param>
    /// <param name="folder">Where the identity is written.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="ClusterException">InvalidArgument: no token; Unauthorized: not this swarm's token.</exception>
    public static async Task<NodeIdentity> JoinAsync(
        string address, string tokenText, string availability, string folder, CancellationToken cancellationToken)
    {
        if (!JoinToken.TryParse(tokenText, out var token))
        {
            throw ClusterException.Invalid("invalid join token");
        }

        var (host, port) = HostPort.Parse(address, HostPort.DefaultControlPort);
        try
        {
            var rootPem = await RootOfAsync(host, port, token, cancellationToken);
            var (request, keyPem) = NodeIdentity.NewKey();
            using var root = X509Certificate2.CreateFromPem(rootPem);
            await using var channel = RpcChannel.OverTcp(host, port, TrustOnly(root));
            var answer = await channel.UnaryAsync(
                NodeMethods.Enroll,
                new EnrollRequest { Token = tokenText, CertificateRequest = ByteString.CopyFrom(request), Availability = availability },
                cancellationToken);
            return NodeIdentity.Save(folder, rootPem, answer.Certificates, keyPem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new ClusterException(ErrorKind.Internal, $"the manager at {address} sent certificates that cannot be used: {e.Message}", e);
        }
        catch (RpcException e)
        {
            throw RpcErrors.ToCluster(e);
        }
        catch (HttpRequestException e)
        {
            throw new ClusterException(ErrorKind.Unavailable, $"could not reach a manager at {address}: {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    private static async Task<string> RootOfAsync(string host, int port, JoinToken token, CancellationToken cancellationToken)
    {
        // Nothing secret crosses this connection, and what comes back is checked against the token.
#pragma warning disable CA5359
        var anyone = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true };
#pragma warning restore CA5359
        await using var channel = RpcChannel.OverTcp(host, port, anyone);
        var answer = await channel.UnaryAsync(NodeMethods.GetRoot, new GetRootRequest(), cancellationToken);
        if (JoinToken.DigestOf(answer.RootCertificate) != token.RootDigest)
        {
            throw new ClusterException(ErrorKind.Unauthorized, "remote CA does not match fingerprint: the join token belongs to another swarm");
        }

        return answer.RootCertificate;
    }

    private static SslClientAuthenticationOptions TrustOnly(X509Certificate2 root) => new()
    {
        RemoteCertificateValidationCallback = (_, remote, _, _) => NodeTrust.AcceptsManager(remote, root),
    };
}
