using System.Globalization;
using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>
/// Requests per second at an nginx on node2 through node1's published port, divided by the rate at a host-mode port of the same image on node2;
/// with one connection at a time and with 32, kept and new, and for much data. Asked by node1 itself, where both ways cross the wire once, and by node3, from
/// where the mesh crosses it twice.
/// </summary>
internal sealed class MeshBenchmark : IBenchmark
{
    private const int MeshPort = 18082;
    private const int HostPort = 18083;

    public string Name => "mesh";

    public async Task<IReadOnlyList<Figure>> RunAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        if (Shell.Find("nginx") is null)
        {
            throw new BenchException("nginx is missing; it is in Debian's package nginx-light. Its service may stay off.");
        }

        var server = new ServiceWish("bench-mesh", 1) { Image = BenchImages.Nginx, Args = [], Port = (MeshPort, 80), Constraint = "node.hostname==node2" };
        var service = await swarm.CreateServiceAsync(server, cancellationToken);
        var direct = await swarm.CreateServiceAsync(server with { Name = "bench-host-mode", Port = (HostPort, 80), HostMode = true }, cancellationToken);
        try
        {
            var task = (await swarm.UntilRunningAsync(service, 1, cancellationToken))[0];
            var own = (await swarm.UntilRunningAsync(direct, 1, cancellationToken))[0];
            var detour = new Detour(
                Url(swarm.Nodes[0].Address, MeshPort), Url(swarm.Nodes[1].Address, HostPort), () => [.. BenchTask.ProcessesOf(own), .. BenchTask.ProcessesOf(task)]);
            List<Figure> figures = [];
            foreach (var (from, bar) in new[] { (swarm.Nodes[0], Bar.AtLeast(0.80)), (swarm.Nodes[2], null) })
            {
                foreach (var load in WrkLoad.Kinds(from.Init))
                {
                    var name = $"mesh ÷ host-mode port, asked by {(from.Number == 1 ? "the entry node" : "a third machine")}";
                    figures.AddRange(await detour.MeasureAsync(name, load, bar, cancellationToken));
                }
            }

            return figures;
        }
        finally
        {
            await swarm.Api.DeleteAsync("/services/" + direct, CancellationToken.None);
            await swarm.RemoveServiceAsync(service, CancellationToken.None);
        }
    }

    private static string Url(string address, int port) => string.Create(CultureInfo.InvariantCulture, $"http://{address}:{port}/");
}
