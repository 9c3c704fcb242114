using System.Diagnostics;

namespace Skep.UnitTests.Daemon.Http;

/// <summary>The real docker command line, where it is installed.</summary>
internal static class DockerCli
{
    public static string? Path { get; } = new[] { "/usr/local/bin/docker", "/usr/bin/docker" }.FirstOrDefault(File.Exists);

    /// <summary>Runs a command against the fixture's socket and returns its exit status and what it printed.</summary>
    public static async Task<(int Exit, string Output)> RunAsync(EngineFixture engine, params string[] arguments)
    {
        Assert.SkipWhen(Path is null, "no docker command line is installed");
        var start = new ProcessStartInfo(Path!, ["-H", $"unix://{engine.SocketPath}", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOCKER_CONFIG"] = System.IO.Path.GetDirectoryName(engine.SocketPath)! },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }
}
