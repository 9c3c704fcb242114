using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Manager.Certificates;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Protocol.Node;
using Skep.Testing.Store;
using Skep.Testing.Time;

namespace Skep.UnitTests.Manager.Certificates;

public sealed class MembershipServiceTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly FakeClusterStore _store = new();
    private readonly RootAuthority _authority;
    private readonly MembershipService _membership;
    private readonly SwarmCluster _cluster;

    public MembershipServiceTests()
    {
        _authority = RootAuthority.Create(_clock);
        _membership = new MembershipService(_store, _authority, _clock, NullLogger<MembershipService>.Instance);
        _cluster = new SwarmCluster
        {
            Id = "swarm1",
            RootCertificate = _authority.CertificatePem,
            WorkerTokenSecret = JoinToken.NewSecret(),
            ManagerTokenSecret = JoinToken.NewSecret(),
        };
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_valid_worker_token_makes_a_node_whose_certificate_says_who_it_is()
    {
        await FoundAsync();

        var answer = await _membership.EnrollAsync(Request(Token(_cluster.WorkerTokenSecret)), Cancelled);

        using var certificate = X509Certificate2.CreateFromPem(answer.Certificates);
        Assert.Equal(new PeerIdentity(answer.NodeId, NodeSpec.Worker, "swarm1"), PeerIdentity.From(certificate));
        var node = _store.Current.Nodes[answer.NodeId];
        Assert.Equal((NodeSpec.Worker, NodeSpec.Active), (node.Role, node.Spec.Availability));
        Assert.Equal(_clock.GetUtcNow() + RootAuthority.DefaultNodeLifetime, certificate.NotAfter);
    }

    [Fact]
    public async Task A_token_is_refused_when_its_secret_its_digest_or_its_form_is_wrong()
    {
        await FoundAsync();
        using var foreign = RootAuthority.Create(_clock);
        string[] wrong =
        [
            "",
            "SWMTKN-1-abc",
            Token(JoinToken.NewSecret()),
            Token(_cluster.WorkerTokenSecret).Replace("SWMTKN-1", "SWMTKN-2", StringComparison.Ordinal),
            JoinToken.For(foreign.CertificatePem, _cluster.WorkerTokenSecret).ToString(),
            Token(new string('\u00e9', 25)),
        ];
        foreach (var token in wrong)
        {
            var refusal = await Assert.ThrowsAsync<ClusterException>(() => _membership.EnrollAsync(Request(token), Cancelled));
            Assert.Equal((ErrorKind.Unauthorized, "A valid join token is necessary to join this cluster"), (refusal.Kind, refusal.Message));
        }

        Assert.Empty(_store.Current.Nodes);
    }

    [Fact]
    public async Task A_rotated_token_no_longer_opens_the_door()
    {
        await FoundAsync();
        await _store.EditAsync(view => new StoreTransaction().Update(view.Cluster! with { WorkerTokenSecret = JoinToken.NewSecret() }), Cancelled);

        var refusal = await Assert.ThrowsAsync<ClusterException>(() => _membership.EnrollAsync(Request(Token(_cluster.WorkerTokenSecret)), Cancelled));

        Assert.Equal(ErrorKind.Unauthorized, refusal.Kind);
    }

    [Fact]
    public async Task The_managers_token_is_told_apart_and_refused_with_the_way_out()
    {
        await FoundAsync();

        var refusal = await Assert.ThrowsAsync<ClusterException>(() => _membership.EnrollAsync(Request(Token(_cluster.ManagerTokenSecret)), Cancelled));

        Assert.Equal(ErrorKind.NotImplemented, refusal.Kind);
        Assert.Contains("join-token worker", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_was_tampered_with_is_refused_and_makes_no_node()
    {
        await FoundAsync();
        var request = Request(Token(_cluster.WorkerTokenSecret));
        var bytes = request.CertificateRequest.ToByteArray();
        foreach (var broken in (byte[][])[[], [1, 2, 3], bytes[..^5], [.. bytes[..^1], (byte)(bytes[^1] ^ 1)]])
        {
            request.CertificateRequest = ByteString.CopyFrom(broken);
            var refusal = await Assert.ThrowsAsync<ClusterException>(() => _membership.EnrollAsync(request, Cancelled));
            Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        }

        Assert.Empty(_store.Current.Nodes);
    }

    [Fact]
    public async Task An_unknown_availability_is_refused()
    {
        await FoundAsync();
        var request = Request(Token(_cluster.WorkerTokenSecret));
        request.Availability = "sometimes";

        var refusal = await Assert.ThrowsAsync<ClusterException>(() => _membership.EnrollAsync(request, Cancelled));

        Assert.Equal("invalid Availability: \"sometimes\"", refusal.Message);
    }

    [Fact]
    public async Task Before_the_cluster_object_is_there_nobody_joins()
    {
        var refusal = await Assert.ThrowsAsync<ClusterException>(() => _membership.EnrollAsync(Request(Token(_cluster.WorkerTokenSecret)), Cancelled));

        Assert.Equal(ErrorKind.Unavailable, refusal.Kind);
    }

    [Fact]
    public async Task A_member_renews_with_the_role_it_has_now_and_a_removed_one_does_not()
    {
        await FoundAsync();
        var joined = await _membership.EnrollAsync(Request(Token(_cluster.WorkerTokenSecret)), Cancelled);
        var peer = new PeerIdentity(joined.NodeId, NodeSpec.Worker, "swarm1");
        await _store.EditNodeAsync(joined.NodeId, node => node with { Role = NodeSpec.Manager }, Cancelled);

        var renewed = _membership.Renew(new RenewRequest { CertificateRequest = Csr() }, peer);

        using var certificate = X509Certificate2.CreateFromPem(renewed.Certificates);
        Assert.Equal(NodeSpec.Manager, PeerIdentity.From(certificate).Role);
        await _store.EditAsync(view => new StoreTransaction().Remove(view.Nodes[joined.NodeId]), Cancelled);
        var refusal = Assert.Throws<ClusterException>(() => _membership.Renew(new RenewRequest { CertificateRequest = Csr() }, peer));
        Assert.Equal(ErrorKind.Forbidden, refusal.Kind);
    }

    public void Dispose() => _authority.Dispose();

    internal static ByteString Csr()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return ByteString.CopyFrom(new CertificateRequest("CN=whatever it says", key, HashAlgorithmName.SHA256).CreateSigningRequest());
    }

    private static EnrollRequest Request(string token) => new() { Token = token, CertificateRequest = Csr() };

    private string Token(string secret) => JoinToken.For(_authority.CertificatePem, secret).ToString();

    private Task<ulong> FoundAsync() => _store.CommitAsync(new StoreTransaction().Create(_cluster), Cancelled);
}
