using System.Globalization;
using System.Text.Json.Nodes;
using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>
/// Requests per second at a remote nginx through the VIP (asked by a task) and through the mesh (asked by another machine), each
/// divided by the rate at the same task without the detour, measured right before and after it.
/// </summary>
internal sealed class BalanceBenchmark : IBenchmark
{
    private const int Runs = 3;
    private const int MeshPort = 18082;
    private const int HostPort = 18083;

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
            Image = BenchImages.Nginx, Args = [], Network = network, Port = (MeshPort, 80), Constraint = "node.hostname==node2",
        };
        var service = await swarm.CreateServiceAsync(server, cancellationToken);
        var direct = await swarm.CreateServiceAsync(server with { Name = "bench-direct", Port = (HostPort, 80), HostMode = true }, cancellationToken);
        var asker = await swarm.CreateServiceAsync(
            new ServiceWish("bench-asker", 1) { Network = network, Constraint = "node.hostname==node1" }, cancellationToken);
        try
        {
            var task = (await swarm.UntilRunningAsync(service, 1, cancellationToken))[0];
            var client = (await swarm.UntilRunningAsync(asker, 1, cancellationToken))[0];
            await swarm.UntilRunningAsync(direct, 1, cancellationToken);
            var inside = ProcessOf(client);
            var vip = await VipAsync(swarm, service, network, cancellationToken);
            var own = AddressOn(task, network);
            List<Figure> figures = [];
            figures.AddRange(await CompareAsync("VIP", inside, $"http://{vip}/", $"http://{own}/", Bar.AtLeast(0.90), cancellationToken));
            figures.AddRange(await CompareAsync(
                "mesh", swarm.Nodes[0].Init,
                Url(swarm.Nodes[0].Address, MeshPort), Url(swarm.Nodes[1].Address, HostPort), Bar.AtLeast(0.75), cancellationToken));
            return figures;
        }
        finally
        {
            await swarm.Api.DeleteAsync("/services/" + asker, cancellationToken);
            await swarm.Api.DeleteAsync("/services/" + direct, cancellationToken);
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
            figures.Add(new Figure($"{what} ÷ direct to the same task's machine, {how}".Replace(
                "machine, ", what == "VIP" ? "address, " : "host-mode port, ", StringComparison.Ordinal), "×", Sample.Of(ratios), fresh ? null : bar));
        }

        return [.. figures];
    }

    private static string Url(string address, int port) => string.Create(CultureInfo.InvariantCulture, $"http://{address}:{port}/");

    // A process of the task, as an id of this machine: one whose cgroup names the container.
    private static int ProcessOf(JsonNode task)
    {
        var container = task["Status"]!["ContainerStatus"]!["ContainerID"]!.GetValue<string>();
        return BenchNode.AllProcesses().FirstOrDefault(process => IsOf(process, container)) is > 0 and var found
            ? found
            : throw new BenchException($"no process of container {container} is seen");
    }

    private static bool IsOf(int process, string container)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/cgroup")).Contains(container, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task<string> VipAsync(BenchSwarm swarm, string service, string network, CancellationToken cancellationToken)
    {
        var endpoint = (await swarm.Api.GetAsync("/services/" + service, cancellationToken))["Endpoint"]!["VirtualIPs"]!.AsArray();
        return Plain(endpoint.First(vip => vip!["NetworkID"]!.GetValue<string>() == network)!["Addr"]!);
    }

    private static string AddressOn(JsonNode task, string network) => Plain(task["NetworksAttachments"]!.AsArray()
        .First(attachment => attachment!["Network"]!["ID"]!.GetValue<string>() == network)!["Addresses"]![0]!);

    private static string Plain(JsonNode address) => address.GetValue<string>().Split('/')[0];
}
