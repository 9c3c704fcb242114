using Skep.Network.Sockets;

namespace Skep.UnitTests.Network.Sockets;

public sealed class SocketGroupTests
{
    private const string Unified = "30 24 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
    private const string Beside = "31 24 0:28 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw";
    private const string Elsewhere = "31 24 0:28 / /mnt/two rw,nosuid - cgroup2 cgroup2 rw";
    private const string Old = "32 24 0:29 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory";

    [Theory]
    [InlineData(Unified, "/sys/fs/cgroup/skep")]
    [InlineData(Beside, "/sys/fs/cgroup/unified/skep")]
    [InlineData(Elsewhere, "/mnt/two")]
    [InlineData(Old, null)]
    public void It_has_all_containers_and_as_little_else_as_can_be(string mount, string? expected)
    {
        var path = Path.GetTempFileName();
        File.WriteAllLines(path, ["22 1 8:1 / / rw shared:1 - ext4 /dev/vda1 rw", Old, mount]);
        Assert.Equal(expected, SocketGroup.Find("/skep", path));
        File.Delete(path);
    }
}
