using System.Globalization;
using Skep.Bench.Swarms;

namespace Skep.Bench.Measuring;

/// <summary>
/// A detour compared with the direct way, in short runs back and forth: direct, detour, detour, direct. What the machine does besides falls on both
/// alike. wrk and both servers share one processor: nobody waits for another one to wake up, and the rate says what the whole way costs.
/// </summary>
/// <param name="Url">Through the detour.</param>
/// <param name="DirectUrl">Of another server of the same kind. One server's own two ways would disturb each other: connections of one leave behind, in
/// connection trackers and in the server's TIME_WAIT, what those of the other then run into.</param>
/// <param name="FindServers">The processes of both servers; asked for when both have answered, and so have started all of theirs.</param>
internal sealed record Detour(string Url, string DirectUrl, Func<IEnumerable<int>> FindServers)
{
    private const int Rounds = 7;

    /// <summary>
    /// Two figures: the rates' ratio, and that of the processor time per request (direct ÷ detour, so that more is better there too). Without a bar where the
    /// congestion control holds packets back: then it decides on the rate, and not the way.
    /// </summary>
    public async Task<IReadOnlyList<Figure>> MeasureAsync(string name, WrkLoad load, Bar? bar, CancellationToken cancellationToken)
    {
        var processor = Environment.ProcessorCount - 1;
        load = load with { Seconds = 1, Processor = processor };
        foreach (var url in new[] { Url, DirectUrl })
        {
            await UntilAnsweredAsync(load with { NewConnections = false }, url, cancellationToken);
        }

        List<int> servers = [.. FindServers()];
        foreach (var server in servers)
        {
            await Shell.RunAsync("taskset", ["-a", "-p", "-c", Text(processor), Text(server)], cancellationToken);
            await CongestionControl.ChooseAsync(server, load.Congestion, cancellationToken);
        }

        var (rates, times) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            var before = await RunAsync(load, DirectUrl, servers, cancellationToken);
            var first = await RunAsync(load, Url, servers, cancellationToken);
            var second = await RunAsync(load, Url, servers, cancellationToken);
            var after = await RunAsync(load, DirectUrl, servers, cancellationToken);
            rates.Add((first.Rate + second.Rate) / (before.Rate + after.Rate));
            times.Add((before.Time + after.Time) / (first.Time + second.Time));
        }

        var what = load.NewConnections ? "a connection per request" : load.Path.Length > 0 ? "1 MiB per request" : "kept connections";
        var paced = load.Congestion == CongestionControl.Plain ? "" : $" by {load.Congestion}";
        var how = $"{name}, {what}{paced}, {load.Clients} at a time";
        return [new Figure(how, "×", Sample.Of(rates), paced.Length == 0 ? bar : null), new Figure(how + ", by processor time", "×", Sample.Of(times))];
    }

    // A task that just began to run is not in every node's balancer yet.
    private static async Task UntilAnsweredAsync(WrkLoad load, string url, CancellationToken cancellationToken)
    {
        for (var tries = 10; ; tries--)
        {
            try
            {
                await Wrk.RunAsync(load, url, cancellationToken);
                return;
            }
            catch (Exception refused) when (tries > 0 && refused is not OperationCanceledException)
            {
                await Task.Delay(100, cancellationToken);
            }
        }
    }

    private async Task<(double Rate, double Time)> RunAsync(WrkLoad load, string url, List<int> servers, CancellationToken cancellationToken)
    {
        var before = servers.Sum(UsedBy);
        var result = await Wrk.RunAsync(load, url + load.Path, cancellationToken);
        return (result.Rate, (result.ProcessorSeconds + servers.Sum(UsedBy) - before) / result.Requests);
    }

    // The first number of schedstat: nanoseconds on a processor (Documentation/scheduler/sched-stats.rst), what the kernel did for packets on the way included.
    private static double UsedBy(int process) => Directory.EnumerateDirectories($"/proc/{Text(process)}/task")
        .Sum(thread => double.Parse(File.ReadAllText(thread + "/schedstat").Split(' ')[0], CultureInfo.InvariantCulture)) / 1e9;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
