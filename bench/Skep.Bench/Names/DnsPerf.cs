using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Skep.Kernel.Namespaces;

namespace Skep.Bench.Names;

/// <summary>Runs dnsperf inside a namespace and reads its report.</summary>
internal sealed class DnsPerf(NetworkNamespace space, string queries)
{
    private const int Seconds = 3;
    private const int Outstanding = 100;

    /// <param name="rate">Queries per second, each with its latency; null = as many as it can with 100 outstanding, without.</param>
    /// <param name="cancellationToken">Ends the wait and dnsperf with it.</param>
    public async Task<DnsPerfReport> RunAsync(int? rate, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("nsenter") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] arguments =
        [
            $"--net={space.Origin}", "dnsperf", "-s", "127.0.0.11", "-d", queries, "-l", Text(Seconds), "-c", "2", "-T", "1",
            "-q", Text(Outstanding), "-e", .. rate is { } most ? (string[])["-Q", Text(most), "-v"] : [],
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Start(start);
        using var end = cancellationToken.Register(process.Kill);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        var lines = (await process.StandardOutput.ReadToEndAsync(cancellationToken)).Split('\n', StringSplitOptions.TrimEntries);
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0
            ? DnsPerfReport.Read(lines)
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

/// <summary>What dnsperf reports.</summary>
/// <param name="Rate">Answers per second.</param>
/// <param name="Lost">Queries without an answer, of all that were sent.</param>
/// <param name="P99">Seconds within which 99 of 100 answers came; NaN where single latencies were not asked for.</param>
internal sealed record DnsPerfReport(double Rate, double Lost, double P99)
{
    public static DnsPerfReport Read(IReadOnlyList<string> lines)
    {
        // "> NOERROR web A 0.000128" for each answer.
        var latencies = lines.Where(line => line.StartsWith("> ", StringComparison.Ordinal)).Select(line => Number(line[line.LastIndexOf(' ')..])).Order().ToList();
        var p99 = latencies.Count == 0 ? double.NaN : latencies[(int)(latencies.Count * 0.99)];
        return new DnsPerfReport(After(lines, "Queries per second:"), After(lines, "Queries lost:") / After(lines, "Queries sent:"), p99);
    }

    private static double After(IReadOnlyList<string> lines, string label) =>
        lines.FirstOrDefault(line => line.StartsWith(label, StringComparison.Ordinal)) is { } line
            ? Number(line[label.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0])
            : throw new BenchException($"dnsperf said nothing after \"{label}\"");

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
