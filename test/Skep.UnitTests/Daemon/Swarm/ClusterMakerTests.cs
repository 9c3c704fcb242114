using Skep.Daemon.Swarm;
using Skep.Manager.Certificates;
using Skep.Model.Errors;
using Skep.Model.Specs;
using Skep.Testing.Time;

namespace Skep.UnitTests.Daemon.Swarm;

public sealed class ClusterMakerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-cluster-").FullName;

    [Fact]
    public void What_the_user_left_out_has_the_figures_that_clients_know()
    {
        var cluster = ClusterMaker.Check(new SwarmInit());

        Assert.Equal((24, 4789), (cluster.SubnetSize, cluster.DataPathPort));
        Assert.Equal("default", cluster.Spec.Name);
        Assert.Equal(5, cluster.Spec.Orchestration.TaskHistoryRetentionLimit);
        Assert.Equal(5_000_000_000, cluster.Spec.Dispatcher.HeartbeatPeriod);
        Assert.Equal(7_776_000_000_000_000, cluster.Spec.CAConfig.NodeCertExpiry);
        Assert.NotEqual(cluster.WorkerTokenSecret, cluster.ManagerTokenSecret);
    }

    [Fact]
    public void Every_problem_of_a_request_is_told_at_once()
    {
        var request = new SwarmInit { DataPathPort = 80, DefaultAddressPool = ["10.0.0.0/33", "10.0.0.0/26"], SubnetSize = 24, Availability = "maybe" };

        var refusal = Assert.Throws<ClusterException>(() => ClusterMaker.Check(request));

        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        foreach (var part in (string[])["between 1024 and 49151", "invalid CIDR address: 10.0.0.0/33", "mask length 24", "invalid Availability: \"maybe\""])
        {
            Assert.Contains(part, refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_new_swarms_keys_fit_together_and_stay_out_of_the_clear()
    {
        var clock = new ManualClock(TimeProvider.System.GetUtcNow());
        using var root = RootAuthority.Create(clock);
        var folder = new SwarmFolder(Path.Combine(_folder, "swarm"));

        var founded = ClusterMaker.Found(ClusterMaker.Check(new SwarmInit()), root, folder, "192.0.2.1:2377", "drain", clock);

        Assert.Equal(new PeerIdentity(founded.Node.Id, NodeSpec.Manager, founded.Cluster.Id), founded.Identity.Peer);
        Assert.Equal(NodeSpec.Drain, founded.Node.Spec.Availability);
        var key = File.ReadAllBytes(folder.ManagerKey);
        Assert.Equal(root.ExportKey(), KeyWrap.Unwrap(key, founded.Cluster.WrappedRootKey));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.ManagerKey));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(founded.Identity.KeyPath));
        founded.Identity.Dispose();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
