using System.Globalization;
using System.Text.RegularExpressions;
using Skep.Bench.Swarms;

namespace Skep.Bench.Measuring;

/// <summary>Requests by <c>wrk</c>, run in the network namespace of a process.</summary>
internal static partial class Wrk
{
    // bash tells times to the millisecond, sh only to a hundredth.
    private const string Timed = """TIMEFORMAT='processor %U %S'; { time "$@"; } 2>&1""";

    /// <summary>Requests per second.</summary>
    /// <param name="process">Whose network it asks from.</param>
    /// <param name="newConnections">Each request opens a connection of its own.</param>
    public static async Task<double> RunAsync(int process, string url, bool newConnections, CancellationToken cancellationToken) =>
        (await RunAsync(new WrkLoad(process, 16, newConnections), url, cancellationToken)).Rate;

    public static async Task<WrkResult> RunAsync(WrkLoad load, string url, CancellationToken cancellationToken)
    {
        if (Shell.Find("wrk") is null)
        {
            throw new BenchException("wrk is missing; it is in Debian's package wrk.");
        }

        List<string> command = ["bash", "-c", Timed, "bash"];
        if (load.Processor is { } processor)
        {
            command.AddRange(["taskset", "-c", $"{processor}"]);
        }

        command.AddRange(["wrk", "-t1", $"-c{load.Clients}", $"-d{load.Seconds}s", "--timeout", "2s"]);
        if (load.NewConnections)
        {
            command.AddRange(["-H", "Connection: close"]);
        }

        var output = load.InGroup
            ? await BenchNode.InGroupOfAsync(load.Process, [.. command, url], cancellationToken)
            : await BenchNode.InNetworkOfAsync(load.Process, [.. command, url], cancellationToken);
        var errors = Errors().Match(output);
        if (errors.Success && errors.Groups[1].Value != "0")
        {
            throw new BenchException($"{url} refuses connections: {errors.Value}");
        }

        var (requests, times) = (Requests().Match(output), Times().Match(output));
        return requests.Success && times.Success && Number(requests, 1) is > 0 and var count
            ? new WrkResult(Number(Rate().Match(output), 1), count, Number(times, 1) + Number(times, 2))
            : throw new BenchException($"{url} does not answer: {output.Trim()}");
    }

    private static double Number(Match match, int group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
    private static partial Regex Rate();

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex Requests();

    [GeneratedRegex(@"processor ([0-9.]+) ([0-9.]+)")]
    private static partial Regex Times();

    [GeneratedRegex(@"Socket errors: connect (\d+), read \d+, write \d+, timeout \d+")]
    private static partial Regex Errors();
}
