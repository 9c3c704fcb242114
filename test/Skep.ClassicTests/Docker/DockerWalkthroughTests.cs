using Skep.ClassicTests.Encryption;

namespace Skep.ClassicTests.Docker;

/// <summary>
/// The walkthroughs W1, W3 and W4 with the docker command line and the real daemons, on each data plane. They take minutes, so they run
/// when they are asked for (see the README).
/// </summary>
public sealed class DockerWalkthroughTests(ITestOutputHelper output)
{
    [Theory(Explicit = true), MemberData(nameof(Planes.All), MemberType = typeof(Planes))]
    public async Task The_docker_command_line_shows_what_the_walkthroughs_show(Plane plane)
    {
        await using var lab = new LabMachine(output);
        try
        {
            await lab.UpAsync(plane is Plane.Classic ? "classic" : "nftables");
            var tables = new PortTables(lab, plane);
            await SwarmWalk.RunAsync(lab, tables);
            await OverlayWalk.RunAsync(lab, tables);
            await MeshWalk.RunAsync(lab, tables);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"{failure.Message}\n--- daemons ---\n{await lab.JournalsAsync()}", failure);
        }
    }
}
