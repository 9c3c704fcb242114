using System.Diagnostics;
using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>Runs a system tool and tells what it said. The lab's own set-up is a matter of a dozen such calls, not of a hot path.</summary>
internal static class Tool
{
    /// <summary>Its output.</summary>
    /// <exception cref="ClusterException">It failed; the message has its own words.</exception>
    public static async Task<string> RunAsync(
        string program, IEnumerable<string> arguments, string input, CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var (status, output, error) = await TryAsync(program, arguments, input, cancellationToken, environment);
        return status == 0
            ? output
            : throw new ClusterException(ErrorKind.Internal, $"{program} failed ({status}): {error.Trim()}");
    }

    public static async Task<(int Status, string Output, string Error)> TryAsync(
        string program, IEnumerable<string> arguments, string input, CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its status says why.
        }

        var said = (await output, await error);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, said.Item1, said.Item2);
    }
}
