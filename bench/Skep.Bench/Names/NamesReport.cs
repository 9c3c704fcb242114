using System.Globalization;

namespace Skep.Bench.Names;

/// <summary>What a client tells of its run.</summary>
/// <param name="Answers">Answers that came.</param>
/// <param name="Rate">Answers per second.</param>
/// <param name="Lost">Queries without an answer in time, of all that were sent.</param>
/// <param name="Failed">Answers with another code than NOERROR (of a flood: other than wanted in any way), of all that came.</param>
/// <param name="P99">Seconds within which 99 of 100 answers came; NaN where single latencies were not asked for.</param>
/// <param name="Cost">Microseconds of the client's own processor time for each answer.</param>
internal sealed record NamesReport(double Answers, double Rate, double Lost, double Failed, double P99, double Cost)
{
    /// <summary>Reads what dnsperf says.</summary>
    /// <param name="lines">Its words.</param>
    /// <param name="used">Seconds of processor time that it took.</param>
    public static NamesReport Read(IReadOnlyList<string> lines, double used)
    {
        // "> NOERROR web A 0.000128" for each answer.
        var latencies = lines.Where(line => line.StartsWith("> ", StringComparison.Ordinal)).Select(line => Number(line[line.LastIndexOf(' ')..])).Order().ToList();
        var p99 = latencies.Count == 0 ? double.NaN : latencies[(int)(latencies.Count * 0.99)];
        var answers = After(lines, "Queries completed:");
        return new NamesReport(
            answers, After(lines, "Queries per second:"), After(lines, "Queries lost:") / After(lines, "Queries sent:"),
            1 - (After(lines, "Response codes:", word: 1) / Math.Max(1, answers)), p99, used * 1e6 / Math.Max(1, answers));
    }

    // "Response codes: NOERROR 4021 (100.00%)", "Queries sent: 4021": the number is the word of that index, and without it there is none.
    private static double After(IReadOnlyList<string> lines, string label, int word = 0) =>
        lines.FirstOrDefault(line => line.StartsWith(label, StringComparison.Ordinal)) is { } line
            ? Number(line[label.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[word])
            : throw new BenchException($"dnsperf said nothing after \"{label}\"");

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
