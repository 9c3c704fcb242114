using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Skep.Daemon.Swarm;
using Skep.Manager.Certificates;
using Skep.Model.Errors;
using Skep.Model.Specs;
using Skep.Testing.Time;

namespace Skep.UnitTests.Manager.Certificates;

public sealed class CertificateTests
{
    [Fact]
    public void A_join_token_has_the_form_that_people_know_and_reads_back()
    {
        using var root = RootAuthority.Create(TimeProvider.System);
        var token = JoinToken.For(root.CertificatePem, JoinToken.NewSecret());

        Assert.Matches(new Regex("^SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}$"), token.ToString());
        Assert.True(JoinToken.TryParse(token.ToString(), out var read));
        Assert.Equal(token, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SWMTKN-1-")]
    [InlineData("SWMTKN-1-0123456789012345678901234567890123456789012345678-0123456789012345678901234")]
    [InlineData("SWMTKN-1-01234567890123456789012345678901234567890123456789-0123456789012345678901234-x")]
    [InlineData("swmtkn-1-01234567890123456789012345678901234567890123456789-0123456789012345678901234")]
    public void What_is_no_token_is_not_read_as_one(string text) => Assert.False(JoinToken.TryParse(text, out _));

    [Fact]
    public void An_authority_that_was_put_away_and_loaded_signs_for_the_same_root()
    {
        using var made = RootAuthority.Create(TimeProvider.System);
        var key = KeyWrap.NewKey();
        var wrapped = KeyWrap.Wrap(key, made.ExportKey());

        using var loaded = RootAuthority.Load(made.CertificatePem, KeyWrap.Unwrap(key, wrapped), TimeProvider.System);

        using var root = X509Certificate2.CreateFromPem(made.CertificatePem);
        using var node = Sign(loaded, NodeSpec.Manager, TimeSpan.FromDays(1));
        Assert.True(NodeTrust.AcceptsManager(node, root));
        Assert.Equal(made.CertificatePem, loaded.CertificatePem);
    }

    [Fact]
    public void A_wrapped_value_opens_only_whole_and_with_its_own_key()
    {
        var key = KeyWrap.NewKey();
        var wrapped = KeyWrap.Wrap(key, [1, 2, 3]);

        Assert.Equal([1, 2, 3], KeyWrap.Unwrap(key, wrapped));
        Assert.NotEqual(wrapped, KeyWrap.Wrap(key, [1, 2, 3]));
        Assert.Equal(ErrorKind.Unauthorized, Assert.Throws<ClusterException>(() => KeyWrap.Unwrap(KeyWrap.NewKey(), wrapped)).Kind);
        Assert.Equal(ErrorKind.Unauthorized, Assert.Throws<ClusterException>(() => KeyWrap.Unwrap(key, wrapped.AsSpan(0, 10))).Kind);
        for (var i = 0; i < wrapped.Length; i++)
        {
            var changed = wrapped.ToArray();
            changed[i] ^= 1;
            Assert.Throws<ClusterException>(() => KeyWrap.Unwrap(key, changed));
        }
    }

    [Fact]
    public void Only_this_swarms_managers_are_taken_for_managers()
    {
        using var authority = RootAuthority.Create(TimeProvider.System);
        using var foreign = RootAuthority.Create(TimeProvider.System);
        using var root = X509Certificate2.CreateFromPem(authority.CertificatePem);
        using var worker = Sign(authority, NodeSpec.Worker, TimeSpan.FromDays(1));
        using var manager = Sign(authority, NodeSpec.Manager, TimeSpan.FromDays(1));
        using var stranger = Sign(foreign, NodeSpec.Manager, TimeSpan.FromDays(1));

        Assert.True(NodeTrust.Accepts(worker, root));
        Assert.False(NodeTrust.AcceptsManager(worker, root));
        Assert.True(NodeTrust.AcceptsManager(manager, root));
        Assert.False(NodeTrust.Accepts(stranger, root));
        Assert.False(NodeTrust.Accepts(null, root));
        Assert.False(NodeTrust.AcceptsManager(root, root));
    }

    [Fact]
    public void A_node_cannot_sign_for_others()
    {
        using var authority = RootAuthority.Create(TimeProvider.System);
        using var root = X509Certificate2.CreateFromPem(authority.CertificatePem);
        var (request, keyPem) = NodeIdentity.NewKey();
        using var worker = X509Certificate2.CreateFromPem(authority.Sign(request, "worker", NodeSpec.Worker, "swarm1", TimeSpan.FromDays(1)), keyPem);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var forged = new CertificateRequest("O=swarm1, OU=swarm-manager, CN=forged", key, HashAlgorithmName.SHA256);
        using var workerKey = worker.GetECDsaPrivateKey()!;
        using var certificate = forged.Create(
            worker.SubjectName, X509SignatureGenerator.CreateForECDsa(workerKey), worker.NotBefore, worker.NotAfter, [1, 2, 3]);

        Assert.False(NodeTrust.AcceptsManager(certificate, root));
    }

    [Fact]
    public void A_certificate_counts_in_its_time_only()
    {
        var past = new ManualClock(DateTimeOffset.UtcNow - TimeSpan.FromDays(30));
        using var authority = RootAuthority.Create(past);
        using var root = X509Certificate2.CreateFromPem(authority.CertificatePem);
        using var over = Sign(authority, NodeSpec.Worker, TimeSpan.FromDays(1));
        past.Advance(TimeSpan.FromDays(60));
        using var early = Sign(authority, NodeSpec.Worker, TimeSpan.FromDays(1));

        Assert.False(NodeTrust.Accepts(over, root));
        Assert.False(NodeTrust.Accepts(early, root));
    }

    [Fact]
    public void A_clock_that_was_set_back_still_signs_within_the_roots_time()
    {
        var now = new ManualClock();
        using var made = RootAuthority.Create(now);
        using var authority = RootAuthority.Load(made.CertificatePem, made.ExportKey(), new ManualClock(now.GetUtcNow() - TimeSpan.FromMinutes(30)));

        using var node = Sign(authority, NodeSpec.Worker, TimeSpan.FromDays(1));

        Assert.Equal(now.GetUtcNow() - TimeSpan.FromHours(1), node.NotBefore);
    }

    [Theory]
    [InlineData("CN=somebody")]
    [InlineData("O=swarm1, OU=swarm-boss, CN=node1")]
    [InlineData("OU=swarm-manager, CN=node1")]
    public void A_subject_that_is_no_nodes_is_nobody(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest(subject, key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));

        Assert.Null(PeerIdentity.TryFrom(certificate));
        Assert.Equal(ErrorKind.Unauthorized, Assert.Throws<ClusterException>(() => PeerIdentity.From(certificate)).Kind);
        Assert.Equal("this call needs a node certificate", Assert.Throws<ClusterException>(() => PeerIdentity.From(null)).Message);
    }

    private static X509Certificate2 Sign(RootAuthority authority, string role, TimeSpan lifetime) =>
        X509Certificate2.CreateFromPem(authority.Sign(NodeIdentity.NewKey().Request, "node1", role, "swarm1", lifetime));
}
