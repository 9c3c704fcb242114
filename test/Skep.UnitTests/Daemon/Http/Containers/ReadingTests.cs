using System.Globalization;
using Skep.Agent.Runtime;
using Skep.Daemon.Http.Containers;
using Skep.UnitTests.Daemon.Http.Fakes;

namespace Skep.UnitTests.Daemon.Http.Containers;

public sealed class ReadingTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("skep-cgroup-");

    [Theory]
    [InlineData(0.4, "Less than a second")]
    [InlineData(1, "1 second")]
    [InlineData(59, "59 seconds")]
    [InlineData(60, "About a minute")]
    [InlineData(180, "3 minutes")]
    [InlineData(3600, "About an hour")]
    [InlineData(7200, "2 hours")]
    [InlineData(47 * 3600, "47 hours")]
    [InlineData(48 * 3600, "2 days")]
    [InlineData(14 * 86400, "2 weeks")]
    [InlineData(60 * 86400, "2 months")]
    [InlineData(800 * 86400, "2 years")]
    public void Durations_read_as_dockers(double seconds, string text) => Assert.Equal(text, SnapshotFacts.HumanDuration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(ContainerState.Running, null, "Up 3 minutes")]
    [InlineData(ContainerState.Running, "starting", "Up 3 minutes (health: starting)")]
    [InlineData(ContainerState.Running, "unhealthy", "Up 3 minutes (unhealthy)")]
    [InlineData(ContainerState.Exited, null, "Exited (5) 2 minutes ago")]
    [InlineData(ContainerState.Created, null, "Created")]
    public void The_status_column_reads_as_dockers(ContainerState state, string? health, string text)
    {
        var now = DateTimeOffset.UnixEpoch;
        var container = FakeRuntime.Running("a", "a") with
        {
            State = state,
            ExitCode = 5,
            StartedAt = now.AddMinutes(-3),
            FinishedAt = now.AddMinutes(-2),
            Health = health is null ? null : new ContainerHealth(health, 0, []),
        };
        Assert.Equal(text, container.StatusText(now));
    }

    [Fact]
    public void The_process_table_has_this_process()
    {
        var table = ProcessTable.Parse("-o pid,comm,args=WORDS").Read([Environment.ProcessId, int.MaxValue], TimeProvider.System);
        Assert.Equal(["PID", "COMMAND", "WORDS"], table.Titles);
        Assert.Equal(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), Assert.Single(table.Processes)[0]);
        Assert.Equal(["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"], ProcessTable.Parse(null).Read([], TimeProvider.System).Titles);
        Assert.Matches(@"^\d\d:\d\d:\d\d$", ProcessTable.Parse("-ef").Read([Environment.ProcessId], TimeProvider.System).Processes[0][6]);
    }

    [Fact]
    public void One_group_gives_all_counters()
    {
        Write("unified/skep/c/cpu.stat", "usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\n");
        Write("unified/skep/c/memory.current", "1048576\n");
        Write("unified/skep/c/memory.max", "max\n");
        Write("unified/skep/c/memory.stat", "anon 4096\ninactive_file 512\n");
        Write("unified/skep/c/pids.current", "2\n");
        Write("unified/skep/c/io.stat", "8:0 rbytes=100 wbytes=200 rios=1 wios=2\n");
        var group = Group("0::/skep/c\n", $"30 23 0:26 / {_folder}/unified rw - cgroup2 cgroup2 rw\n");
        Assert.Equal((5_000_000ul, 2_000_000ul), (group.Cpu().CpuUsage.TotalUsage, group.Cpu().CpuUsage.UsageInKernelmode));
        Assert.Equal((1048576ul, 512ul), (group.Memory().Usage, group.Memory().Stats!["inactive_file"]));
        Assert.True(group.Memory().Limit > 1048576);
        Assert.Equal(2ul, group.Pids().Current);
        Assert.Equal([("read", 100ul), ("write", 200ul)], group.Blkio().IoServiceBytesRecursive.Select(e => (e.Op, e.Value)));
    }

    [Fact]
    public void A_group_per_controller_gives_all_counters_also_below_a_mounts_own_root()
    {
        Write("cpuacct/c/cpuacct.usage", "7000\n");
        Write("memory/c/memory.usage_in_bytes", "2048\n");
        Write("memory/c/memory.limit_in_bytes", "67108864\n");
        Write("memory/c/memory.stat", "total_inactive_file 64\n");
        var group = Group(
            "9:memory:/machine/c\n8:cpu,cpuacct:/machine/c\n0::/elsewhere\n",
            $"31 23 0:27 /machine {_folder}/cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n32 23 0:28 /machine {_folder}/memory rw - cgroup cgroup rw,memory\n");
        Assert.Equal(7000ul, group.Cpu().CpuUsage.TotalUsage);
        Assert.Equal((2048ul, 67108864ul, 64ul), (group.Memory().Usage, group.Memory().Limit, group.Memory().Stats!["total_inactive_file"]));
        Assert.Null(group.Pids().Current);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private ControlGroup Group(string membership, string mounts)
    {
        Write("membership", membership);
        Write("mountinfo", mounts);
        return ControlGroup.OfProcess(Path.Combine(_folder.FullName, "membership"), Path.Combine(_folder.FullName, "mountinfo"))!;
    }

    private void Write(string path, string text)
    {
        var file = Path.Combine(_folder.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
