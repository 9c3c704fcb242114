using System.Globalization;
using System.Text.RegularExpressions;
using Skep.Bench.Swarms;

namespace Skep.Bench.Measuring;

/// <summary>Requests per second by <c>wrk</c>, run in the network namespace of a process.</summary>
internal static partial class Wrk
{
    /// <param name="process">Whose network it asks from.</param>
    /// <param name="newConnections">Each request opens a connection of its own.</param>
    public static async Task<double> RunAsync(int process, string url, bool newConnections, CancellationToken cancellationToken)
    {
        if (Shell.Find("wrk") is null)
        {
            throw new BenchException("wrk is missing; it is in Debian's package wrk.");
        }

        List<string> command = ["wrk", "-t1", "-c16", "-d3s", "--timeout", "2s"];
        if (newConnections)
        {
            command.AddRange(["-H", "Connection: close"]);
        }

        var output = await BenchNode.InNetworkOfAsync(process, [.. command, url], cancellationToken);
        var errors = Errors().Match(output);
        if (errors.Success && errors.Groups[1].Value != "0")
        {
            throw new BenchException($"{url} refuses connections: {errors.Value}");
        }

        return double.Parse(Rate().Match(output).Groups[1].Value, CultureInfo.InvariantCulture) is > 0 and var rate
            ? rate
            : throw new BenchException($"{url} does not answer: {output.Trim()}");
    }

    [GeneratedRegex(@"Requests/sec:\s+([0-9.]+)")]
    private static partial Regex Rate();

    [GeneratedRegex(@"Socket errors: connect (\d+), read \d+, write \d+, timeout \d+")]
    private static partial Regex Errors();
}
