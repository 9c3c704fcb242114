using System.Diagnostics;
using System.Globalization;
using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>From the request that creates a service with a published port until that port of a machine without a task of it answers.</summary>
internal sealed class AnswerBenchmark : IBenchmark
{
    private const int Runs = 5;
    private const int Port = 18081;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public string Name => "answer";

    public async Task<IReadOnlyList<Figure>> RunAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        var wish = new ServiceWish("bench-answer", 1)
        {
            Args = ServiceWish.Http,
            Port = (Port, ServiceWish.HttpPort),
            Constraint = "node.hostname==node2",
        };
        var times = new List<double>();
        for (var run = 0; run < Runs; run++)
        {
            var begun = Stopwatch.GetTimestamp();
            var service = await swarm.CreateServiceAsync(wish, cancellationToken);
            var answered = await AnswersAsync(swarm.Nodes[2].Address, begun, cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(begun).TotalSeconds);
            await swarm.RemoveServiceAsync(service, cancellationToken);
            if (!answered)
            {
                throw new BenchException("the published port of another machine does not answer");
            }
        }

        return [new Figure("service create → first answer at another machine's port", "s", Sample.Of(times))];
    }

    private static async Task<bool> AnswersAsync(string address, long begun, CancellationToken cancellationToken)
    {
        var url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{address}:{Port}/"));
        while (Stopwatch.GetElapsedTime(begun) < s_patience)
        {
            // A connection that is refused is over at once; one that gets no answer is tried anew soon.
            using var client = new HttpClient { Timeout = TimeSpan.FromMilliseconds(500) };
            try
            {
                using var answer = await client.GetAsync(url, cancellationToken);
                if (answer.IsSuccessStatusCode)
                {
                    return true;
                }
            }
            catch (Exception early) when (early is HttpRequestException or TaskCanceledException)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            await Task.Delay(TimeSpan.FromMilliseconds(5), cancellationToken);
        }

        return false;
    }
}
