using Skep.Bench.DataPlane;
using Skep.Bench.Measuring;

namespace Skep.Bench.Rows;

/// <summary>One endpoint comes or goes among many services: from the agent's word until the kernel of that node holds it, names included.</summary>
internal sealed class EndpointChangeBenchmark : ILocalBenchmark
{
    private const int Changes = 100;

    public string Name => "endpoint-change";

    public async Task<IReadOnlyList<Figure>> RunAsync(CancellationToken cancellationToken)
    {
        var (few, _) = await MeasureAsync(100, cancellationToken);
        var (many, peers) = await MeasureAsync(10_000, cancellationToken);
        return
        [
            new Figure("one endpoint changed among 100 services × 2", "ms", Sample.Of(few)),
            new Figure("one endpoint changed among 100 services × 2, p99", "ms", Sample.Of(P99(few))),
            new Figure("one endpoint changed among 10 000 services × 2", "ms", Sample.Of(many), Bar.AtMost(5)),
            new Figure("one endpoint changed among 10 000 services × 2, p99", "ms", Sample.Of(P99(many))),
            new Figure("one endpoint changed, 10 000 services ÷ 100", "×", Sample.Of(Sample.Of(many).Median / Sample.Of(few).Median), Bar.AtMost(2)),
            new Figure("one node more or less among 10 000 services × 2", "ms", Sample.Of(peers)),
        ];
    }

    private static async Task<(List<double> Endpoints, List<double> Peers)> MeasureAsync(int services, CancellationToken cancellationToken)
    {
        await using var machine = new BenchMachine();
        machine.Start();
        var plan = BenchMachine.Plan(services);
        await machine.ApplyAsync(plan, null, cancellationToken);
        using var caller = await machine.AttachAsync(0, cancellationToken);
        var (times, peers) = (new List<double>(), new List<double>());
        for (var i = 0; i < Changes + 10; i++)
        {
            var (next, delta) = BenchMachine.Toggle(plan, 1 + (i * 7919 % (services - 1)));
            var time = await machine.ApplyAsync(next, delta, cancellationToken);
            plan = next;
            // The first ones find code that was never run.
            if (i >= 10)
            {
                times.Add(time);
            }
        }

        for (var i = 0; i < Changes / 5; i++)
        {
            var (next, delta) = BenchMachine.TogglePeer(plan);
            peers.Add(await machine.ApplyAsync(next, delta, cancellationToken));
            plan = next;
        }

        await machine.Network.AuditAsync(cancellationToken);
        return machine.Network.Repairs.Total == 0 ? (times, peers) : throw new BenchException($"{machine.Network.Repairs.Total} repairs were needed: {machine.Network.Repairs.Last[^1].What}");
    }

    private static double P99(List<double> times) => times.Order().ElementAt((int)(times.Count * 0.99));
}
