namespace Skep.EndToEndTests.Lab;

/// <summary>What a machine of the lab is: every test leaves both machines switched on and plugged in.</summary>
public sealed class MachineLabTests(MachineLabFixture lab) : IClassFixture<MachineLabFixture>
{
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public async Task ExecGivesTheCommandsOwnStatus(int status) =>
        Assert.Equal(status, (await lab.ExecAsync(1, ["sh", "-c", $"exit {status}"])).Status);

    [Fact]
    public async Task ExecPassesAllThreeStreams()
    {
        var (_, output, error) = await lab.ExecAsync(1, ["sh", "-c", "cat; echo talk >&2"], "data in");

        Assert.Equal("data in", output);
        Assert.Equal("talk\n", error);
    }

    [Fact]
    public async Task ExecKeepsArgumentsAsTheyAre() => Assert.Equal("[a b][*][]", await lab.OnAsync(1, "printf", "[%s]", "a b", "*", ""));

    [Fact]
    public async Task TheBuiltProgramEntersAsTheLauncherDoes()
    {
        // A flag before the command's own separator is what the launcher leaves to the program.
        var (status, output, _) = await Door.RunAsync(["lab", "exec", "1", $"--name={lab.Name}", "--", "sh", "-c", "hostname; exit 3"]);

        Assert.Equal((3, "node1\n"), (status, output));
    }

    [Fact]
    public async Task MachinesHaveTheirOwnNameRunAndProcesses()
    {
        Assert.Equal("node2", await lab.OnAsync(2, "hostname"));
        await lab.OnAsync(1, "touch", "/run/only-here", "/var/lib/skep/and-here");

        Assert.NotEqual(0, (await lab.ExecAsync(2, ["ls", "/run/only-here"])).Status);
        Assert.NotEqual(0, (await lab.ExecAsync(2, ["ls", "/var/lib/skep/and-here"])).Status);
        Assert.False(File.Exists("/run/only-here"));
        Assert.Equal("1", await lab.OnAsync(1, "sh", "-c", "ls /sys/class/net | grep -vc '^lo$'"));
        Assert.DoesNotContain("skep-lab", await lab.OnAsync(1, "cat", "/proc/self/cgroup"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task MachinesReachOneAnotherByNameAndHaveOneAddressOfEachFamily()
    {
        await lab.OnAsync(1, "ping", "-c", "3", "-W", "2", "node2");

        Assert.Equal("1", await lab.OnAsync(1, "sh", "-c", "ip -4 -o addr show scope global | wc -l"));
        Assert.Equal("1", await lab.OnAsync(1, "sh", "-c", "ip -6 -o addr show scope global | wc -l"));
    }

    [Fact]
    public async Task PowerLossEndsEverythingAndStartBringsTheMachineBackWithItsData()
    {
        await lab.OnAsync(2, "sh", "-c", "echo kept >/var/lib/skep/file; setsid sleep 86399 </dev/null >/dev/null 2>&1 &");
        var init = await lab.PidAsync(2);

        await lab.MustAsync("kill", "2");

        Assert.False(Directory.Exists($"/proc/{init}/ns"));
        Assert.Equal("off", await lab.StateAsync(2));
        Assert.Equal(125, (await lab.ExecAsync(2, ["true"])).Status);
        await lab.MustAsync("start", "2");
        Assert.Equal("kept", await lab.OnAsync(2, "cat", "/var/lib/skep/file"));
        Assert.Equal("", (await lab.ExecAsync(2, ["pgrep", "-f", "sleep 86399"])).Output);
    }

    [Fact]
    public async Task KillingTheDaemonAloneLeavesTheRest()
    {
        var init = await lab.PidAsync(1);

        await lab.MustAsync("kill", "1", "--daemon-only");

        Assert.Equal("daemon down", await lab.StateAsync(1));
        await lab.MustAsync("start", "1");
        Assert.Equal(("up", init), (await lab.StateAsync(1), await lab.PidAsync(1)));
    }

    [Fact]
    public async Task ACutCableIsACarrierLost()
    {
        await lab.MustAsync("cut", "2");

        Assert.Equal("cut", await lab.StateAsync(2));
        Assert.Equal("0", await lab.OnAsync(2, "cat", "/sys/class/net/eth0/carrier"));
        await lab.MustAsync("heal", "2");
        Assert.Equal("1", await lab.OnAsync(2, "cat", "/sys/class/net/eth0/carrier"));
        await lab.OnAsync(1, "ping", "-c", "3", "-W", "2", "node2");
    }

    [Fact]
    public async Task LogsAreTheDaemonsWords() => Assert.Contains("listening", await lab.MustAsync("logs", "1"), StringComparison.Ordinal);

    [Fact]
    public async Task MachinesThatDoNotExistAreNamed()
    {
        var (status, _, error) = await lab.ExecAsync(9, ["true"]);

        Assert.NotEqual(0, status);
        Assert.Contains($"Lab '{lab.Name}' has machines 1 to 2, no 9.", error, StringComparison.Ordinal);
    }
}
