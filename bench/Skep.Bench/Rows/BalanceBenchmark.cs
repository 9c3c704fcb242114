using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>
/// Requests per second at a remote nginx through the VIP, asked by a task, divided by the rate at another such task's own address (Detour says
/// why another), measured right before and after it.
/// </summary>
internal sealed class BalanceBenchmark : IBenchmark
{
    private const int Runs = 3;

    public string Name => "balance";

    public async Task<IReadOnlyList<Figure>> RunAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        if (Shell.Find("nginx") is null)
        {
            throw new BenchException("nginx is missing; it is in Debian's package nginx-light. Its service may stay off.");
        }

        var network = await swarm.CreateNetworkAsync("bench-balance", cancellationToken);
        var server = new ServiceWish("bench-balance", 1)
        {
            Image = BenchImages.Nginx, Args = [], Network = network, Constraint = "node.hostname==node2",
        };
        var service = await swarm.CreateServiceAsync(server, cancellationToken);
        var other = await swarm.CreateServiceAsync(server with { Name = "bench-direct" }, cancellationToken);
        var asker = await swarm.CreateServiceAsync(
            new ServiceWish("bench-asker", 1) { Network = network, Constraint = "node.hostname==node1" }, cancellationToken);
        try
        {
            await swarm.UntilRunningAsync(service, 1, cancellationToken);
            var task = (await swarm.UntilRunningAsync(other, 1, cancellationToken))[0];
            var client = (await swarm.UntilRunningAsync(asker, 1, cancellationToken))[0];
            var inside = BenchTask.ProcessOf(client);
            var vip = await BenchTask.VipAsync(swarm, service, network, cancellationToken);
            var own = BenchTask.AddressOn(task, network);
            List<Figure> figures = [];
            figures.AddRange(await CompareAsync("VIP", inside, $"http://{vip}/", $"http://{own}/", Bar.AtLeast(0.90), cancellationToken));
            return figures;
        }
        finally
        {
            await swarm.Api.DeleteAsync("/services/" + asker, cancellationToken);
            await swarm.Api.DeleteAsync("/services/" + other, cancellationToken);
            await swarm.RemoveServiceAsync(service, cancellationToken);
            await swarm.RemoveNetworkAsync(network, cancellationToken);
        }
    }

    private static async Task<Figure[]> CompareAsync(
        string what, int process, string detour, string direct, Bar bar, CancellationToken cancellationToken)
    {
        var figures = new List<Figure>();
        foreach (var fresh in new[] { false, true })
        {
            var (rates, ratios) = (new List<double>(), new List<double>());
            for (var run = 0; run < Runs; run++)
            {
                var before = await Wrk.RunAsync(process, direct, fresh, cancellationToken);
                var rate = await Wrk.RunAsync(process, detour, fresh, cancellationToken);
                var after = await Wrk.RunAsync(process, direct, fresh, cancellationToken);
                rates.Add(rate);
                ratios.Add(rate / ((before + after) / 2));
            }

            var how = fresh ? "a connection per request" : "kept connections";
            figures.Add(new Figure($"{what} request rate, {how}", "/s", Sample.Of(rates)));
            figures.Add(new Figure($"{what} ÷ direct to a task's address, {how}", "×", Sample.Of(ratios), fresh ? null : bar));
        }

        return [.. figures];
    }
}
