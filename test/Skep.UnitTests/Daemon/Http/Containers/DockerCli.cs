using System.Diagnostics;

namespace Skep.UnitTests.Daemon.Http.Containers;

/// <summary>The unmodified docker CLI against a server of this process.</summary>
internal static class DockerCli
{
    public static bool IsThere { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "docker")));

    public static async Task<(int Code, string Output, string Errors)> RunAsync(EngineFixture engine, string? input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("docker", ["-H", "unix://" + engine.SocketPath, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }

        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return (process.ExitCode, await output, await errors);
    }
}
