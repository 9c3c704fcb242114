using System.Diagnostics;

namespace Skep.EndToEndTests.Lab;

/// <summary>A lab goes away without a trace, however it died, and two labs do not meet.</summary>
public sealed class LeftoverTests(MachineLabFixture lab) : IClassFixture<MachineLabFixture>
{
    [Fact]
    public async Task DownAfterAKillOfEverythingLeavesNothing()
    {
        await KillAllAsync();

        await lab.MustAsync("down");

        Assert.False(Directory.Exists(lab.Folder));
        Assert.False(Directory.Exists($"/run/skep-lab/{lab.Name}"));
        Assert.False(File.Exists($"/run/netns/skep-lab-{lab.Name}"));
        Assert.DoesNotContain(lab.Name, await File.ReadAllTextAsync("/proc/self/mountinfo"), StringComparison.Ordinal);
        Assert.Empty(Groups(lab.Name));
        await lab.UpAsync();
    }

    [Fact]
    public async Task DownFindsMachinesWhoseFilesAreGone()
    {
        var init = await lab.PidAsync(1);
        Directory.Delete(lab.Folder + "/node1", recursive: true);
        File.Delete(lab.Folder + "/lab.json");

        await lab.MustAsync("down");

        Assert.False(Directory.Exists($"/proc/{init}/ns") && File.Exists($"/proc/{init}/root/var/lib/skep"));
        Assert.False(File.Exists($"/run/netns/skep-lab-{lab.Name}"));
        await lab.UpAsync();
    }

    [Fact]
    public async Task DownAfterAnUpThatFailedEarlyLeavesNothing()
    {
        await KillAllAsync();
        Directory.Delete(lab.Folder + "/node1", recursive: true);
        Directory.Delete(lab.Folder + "/node2", recursive: true);

        await lab.MustAsync("down");

        Assert.False(Directory.Exists(lab.Folder));
        await lab.UpAsync();
    }

    [Fact]
    public async Task UpOverLeftoversWorks()
    {
        await KillAllAsync();

        await lab.UpAsync();

        Assert.Equal("node2", await lab.OnAsync(2, "hostname"));
    }

    [Fact]
    public async Task TwoLabsDoNotMeet()
    {
        var other = new MachineLabFixture();
        await other.InitializeAsync();
        try
        {
            Assert.NotEqual(await lab.AddressAsync(1), await other.AddressAsync(1));
            await other.OnAsync(1, "touch", "/var/lib/skep/of-the-other");
            Assert.NotEqual(0, (await lab.ExecAsync(1, ["ls", "/var/lib/skep/of-the-other"])).Status);
            Assert.NotEqual(0, (await lab.ExecAsync(1, ["ping", "-c", "1", "-W", "1", await other.AddressAsync(1)])).Status);
        }
        finally
        {
            await other.DisposeAsync();
        }

        Assert.Equal("node1", await lab.OnAsync(1, "hostname"));
    }

    // Groups of another lab may go while they are listed; then the list is made anew.
    private static string[] Groups(string name)
    {
        while (true)
        {
            try
            {
                return Directory.GetDirectories("/sys/fs/cgroup", name, new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3 });
            }
            catch (DirectoryNotFoundException)
            {
            }
        }
    }

    private async Task KillAllAsync()
    {
        foreach (var node in new[] { 1, 2 })
        {
            using var init = Process.GetProcessById(await lab.PidAsync(node));
            init.Kill();
            await init.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }
}
