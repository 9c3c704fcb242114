using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Skep.Bench.Names;

/// <summary>Runs dnsperf inside a network namespace and reads its report.</summary>
/// <param name="space">Path of the namespace.</param>
/// <param name="queries">Path of a file with a question per line.</param>
/// <param name="seconds">How long each run asks.</param>
internal sealed class DnsPerf(string space, string queries, int seconds)
{
    private const int Outstanding = 100;

    /// <param name="rate">Queries per second, each with its latency; null = as many as it can with 100 outstanding, without.</param>
    /// <param name="cancellationToken">Ends the wait and dnsperf with it.</param>
    public async Task<NamesReport> RunAsync(int? rate, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("nsenter") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            $"--net={space}", "dnsperf", "-s", "127.0.0.11", "-d", queries, "-l", Text(seconds), "-c", "2", "-T", "1",
            "-q", Text(Outstanding), "-e", .. rate is { } most ? (string[])["-Q", Text(most), "-v"] : [],
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var used = FloodNative.ProcessorSeconds(FloodNative.OfChildren);
        using var process = Start(start);
        using var end = cancellationToken.Register(process.Kill);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        var lines = (await process.StandardOutput.ReadToEndAsync(cancellationToken)).Split('\n', StringSplitOptions.TrimEntries);
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0
            ? NamesReport.Read(lines, FloodNative.ProcessorSeconds(FloodNative.OfChildren) - used)
            : throw new BenchException($"dnsperf ended with {process.ExitCode}: {await error}");
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw new BenchException($"{start.FileName} cannot be started: {missing.Message}");
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
