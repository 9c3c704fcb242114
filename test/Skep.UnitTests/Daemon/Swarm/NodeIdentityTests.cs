using Skep.Daemon.Swarm;
using Skep.Manager.Certificates;
using Skep.Model.Errors;
using Skep.Model.Specs;

namespace Skep.UnitTests.Daemon.Swarm;

public sealed class NodeIdentityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-identity-").FullName;
    private readonly RootAuthority _root = RootAuthority.Create(TimeProvider.System);

    [Fact]
    public void Without_a_certificate_there_is_no_identity() => Assert.Null(NodeIdentity.Load(_folder));

    [Fact]
    public void An_identity_that_was_saved_is_loaded_as_it_was()
    {
        using var saved = Save(NodeSpec.Worker);
        using var loaded = NodeIdentity.Load(_folder)!;

        Assert.Equal(new PeerIdentity("node1", NodeSpec.Worker, "swarm1"), loaded.Peer);
        Assert.Equal(_root.CertificatePem, loaded.RootPem);
        Assert.True(loaded.ServerCertificate.HasPrivateKey);
    }

    [Fact]
    public void A_renewed_certificate_is_shown_and_loaded_from_then_on()
    {
        using var identity = Save(NodeSpec.Worker);
        var before = identity.ServerCertificate.SerialNumber;
        var (certificate, key) = Pair(_root, "node1");

        identity.Renew(certificate, key);

        Assert.NotEqual(before, identity.ServerCertificate.SerialNumber);
        using var loaded = NodeIdentity.Load(_folder)!;
        Assert.Equal(identity.ServerCertificate.SerialNumber, loaded.ServerCertificate.SerialNumber);
    }

    [Fact]
    public void A_renewal_that_does_not_fit_changes_nothing()
    {
        using var identity = Save(NodeSpec.Worker);
        using var foreign = RootAuthority.Create(TimeProvider.System);
        var before = identity.ServerCertificate.SerialNumber;
        (string Certificate, string Key)[] wrong =
        [
            Pair(foreign, "node1"),
            Pair(_root, "node2"),
            (Pair(_root, "node1").Certificate, Pair(_root, "node1").Key),
            ("nonsense", Pair(_root, "node1").Key),
        ];
        foreach (var (certificate, key) in wrong)
        {
            Assert.Equal(ErrorKind.Unauthorized, Assert.Throws<ClusterException>(() => identity.Renew(certificate, key)).Kind);
        }

        using var loaded = NodeIdentity.Load(_folder)!;
        Assert.Equal(before, loaded.ServerCertificate.SerialNumber);
    }

    [Fact]
    public void A_daemon_that_died_in_the_middle_of_a_renewal_finds_the_other_half()
    {
        using var identity = Save(NodeSpec.Worker);
        var (certificate, key) = Pair(_root, "node1");
        File.WriteAllText(identity.KeyPath, key);
        File.WriteAllText(identity.CertificatePath + ".next", certificate);

        using var loaded = NodeIdentity.Load(_folder)!;

        Assert.Equal(certificate, File.ReadAllText(loaded.CertificatePath));
        Assert.True(loaded.ServerCertificate.HasPrivateKey);
    }

    [Theory]
    [InlineData("swarm-root-ca.crt")]
    [InlineData("swarm-node.crt")]
    [InlineData("swarm-node.key")]
    public void What_cannot_be_read_is_said_with_the_way_out(string file)
    {
        Save(NodeSpec.Worker).Dispose();
        File.WriteAllText(Path.Combine(_folder, file), "nonsense");

        var refusal = Assert.Throws<ClusterException>(() => NodeIdentity.Load(_folder));

        Assert.Contains("leave the swarm with --force", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_reads_back_and_a_broken_one_is_said()
    {
        var path = Path.Combine(_folder, "state.json");
        Assert.Null(SwarmState.Load(path));
        var state = new SwarmState { AdvertiseAddress = "192.0.2.1", DataPathAddress = "192.0.2.2", IsManager = true, Managers = [new ManagerPlace("n1", "192.0.2.1:2377")] };

        state.Save(path);

        var read = SwarmState.Load(path)!;
        Assert.Equal(state with { Managers = [] }, read with { Managers = [] });
        Assert.Equal(state.Managers, read.Managers);
        File.WriteAllText(path, "{");
        Assert.Equal(ErrorKind.Internal, Assert.Throws<ClusterException>(() => SwarmState.Load(path)).Kind);
    }

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static (string Certificate, string Key) Pair(RootAuthority root, string nodeId)
    {
        var (request, key) = NodeIdentity.NewKey();
        return (root.Sign(request, nodeId, NodeSpec.Worker, "swarm1", TimeSpan.FromDays(1)), key);
    }

    private NodeIdentity Save(string role)
    {
        var (request, key) = NodeIdentity.NewKey();
        return NodeIdentity.Save(_folder, _root.CertificatePem, _root.Sign(request, "node1", role, "swarm1", TimeSpan.FromDays(1)), key);
    }
}
