using System.Diagnostics;

namespace Skep.Bench.Swarms;

/// <summary>Runs the tools that a figure is taken with.</summary>
public static class Shell
{
    /// <summary>Its standard output.</summary>
    /// <exception cref="BenchException">It failed; the message has its own words.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        var said = (Output: await output, Error: await error);
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0
            ? said.Output
            : throw new BenchException($"{program} {string.Join(' ', arguments)}: status {process.ExitCode}: {said.Error.Trim()} {said.Output.Trim()}");
    }

    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
