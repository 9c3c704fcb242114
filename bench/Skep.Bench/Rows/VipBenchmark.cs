using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>
/// Requests per second at a remote nginx through its VIP, divided by the rate at another such nginx's own address; with one connection at a time
/// and with 32, kept and new, and for much data. Twice: as a task asks, whose sockets choose, and by packet rules alone, which decide wherever the asking program
/// is in no control group of a container.
/// </summary>
internal sealed class VipBenchmark : IBenchmark
{
    public string Name => "vip";

    public async Task<IReadOnlyList<Figure>> RunAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        if (Shell.Find("nginx") is null)
        {
            throw new BenchException("nginx is missing; it is in Debian's package nginx-light. Its service may stay off.");
        }

        var network = await swarm.CreateNetworkAsync("bench-vip", cancellationToken);
        var server = new ServiceWish("bench-vip-direct", 1) { Image = BenchImages.Nginx, Args = [], Network = network, Constraint = "node.hostname==node2" };
        List<string> services = [];
        try
        {
            var direct = await CreateAsync(server);
            var asker = await CreateAsync(new ServiceWish("bench-vip-asker", 1) { Network = network, Constraint = "node.hostname==node1" });
            var client = BenchTask.ProcessOf(await RunningAsync(asker));
            var own = await RunningAsync(direct);
            List<Figure> figures = [];
            foreach (var (who, inGroup) in new[] { ("socket balancing", true), ("packet rules alone", false) })
            {
                // Each with a server of its own: what connections leave behind there is in the way of those that look otherwise (Detour).
                var balanced = await CreateAsync(server with { Name = inGroup ? "bench-vip-socket" : "bench-vip-rules" });
                var task = await RunningAsync(balanced);
                var detour = new Detour(
                    $"http://{await BenchTask.VipAsync(swarm, balanced, network, cancellationToken)}/",
                    $"http://{BenchTask.AddressOn(own, network)}/",
                    () => [.. BenchTask.ProcessesOf(own), .. BenchTask.ProcessesOf(task)]);
                foreach (var load in WrkLoad.Kinds(client))
                {
                    var bar = Bar.AtLeast(inGroup ? 0.98 : load.NewConnections ? 0.85 : 0.90);
                    figures.AddRange(await detour.MeasureAsync($"VIP ÷ direct, {who}", load with { InGroup = inGroup }, bar, cancellationToken));
                }
            }

            return figures;
        }
        finally
        {
            foreach (var service in services)
            {
                await swarm.Api.DeleteAsync("/services/" + service, CancellationToken.None);
            }

            await swarm.UntilNoContainersAsync(CancellationToken.None);
            await swarm.RemoveNetworkAsync(network, CancellationToken.None);
        }

        async Task<string> CreateAsync(ServiceWish wish)
        {
            services.Add(await swarm.CreateServiceAsync(wish, cancellationToken));
            return services[^1];
        }

        async Task<System.Text.Json.Nodes.JsonNode> RunningAsync(string service) => (await swarm.UntilRunningAsync(service, 1, cancellationToken))[0];
    }
}
