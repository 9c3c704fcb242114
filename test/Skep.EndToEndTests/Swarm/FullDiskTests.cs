using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Skep.EndToEndTests.Swarm;

/// <summary>A machine whose disk is full says so on the task, and goes on when there is room again.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task AFullDiskIsTheTasksErrorAndPassesWhenTheCauseDoes()
    {
        var lab = await SwarmLab.UpAsync(2, "--no-swarm");
        var data = (string)JsonNode.Parse(await File.ReadAllTextAsync($"/var/lib/skep-lab/{lab.Name}/lab.json"))!["Data"]! + "/node2";
        try
        {
            // The second machine's data lies on a disk of 96 MiB from now on.
            await lab.LabAsync("kill", "2");
            await MustAsync("mount", "-t", "tmpfs", "-o", "size=96m,mode=755", "tmpfs", data);
            await lab.LabAsync("start", "2");
            await lab.DockerAsync("swarm", "init");
            var token = await lab.DockerAsync("swarm", "join-token", "-q", "worker");
            await lab.OnAsync(2, "docker", "swarm", "join", "--token", token, $"{await lab.AddressAsync(1)}:2377");
            using (var image = await Skep.Lab.DemoImage.BuildAsync(TestContext.Current.CancellationToken))
            {
                await lab.ImportAsync(2, SwarmLab.Image, image, Skep.Lab.DemoImage.Command);
            }

            await lab.DockerAsync("service", "create", "-d", "--stop-grace-period", "1s", "--name", "early", "--constraint", "node.hostname==node2", "-p", "5091:3000", SwarmLab.Image);
            var early = await lab.RunningAsync("early", 1);

            await lab.ShellAsync(2, "cat /dev/zero >/var/lib/skep/filler 2>/dev/null; true");
            await lab.DockerAsync("service", "create", "-d", "--name", "late", "--constraint", "node.hostname==node2", "--restart-delay", "500ms", SwarmLab.Image);
            await lab.UntilAsync(
                "the task tells of the disk", 30,
                () => lab.DockerAsync("service", "ps", "--no-trunc", "--format", "{{.CurrentState}} {{.Error}}", "late"),
                seen => seen.Contains("no space left on device", StringComparison.OrdinalIgnoreCase));
            Assert.Equal(early, await lab.TasksAsync("early"));
            Assert.NotEqual("", await lab.AskAsync(1, 5091));

            await lab.OnAsync(2, "rm", "/var/lib/skep/filler");
            await lab.RunningAsync("late", 1, 30);
            Assert.Equal(early, await lab.TasksAsync("early"));
        }
        finally
        {
            await lab.LabAsync("kill", "2");
            await MustAsync("umount", data);
            await lab.DisposeAsync();
        }
    }

    private static async Task MustAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {error}");
    }
}
