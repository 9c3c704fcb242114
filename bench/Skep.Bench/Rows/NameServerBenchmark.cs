using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Bench.Measuring;
using Skep.Bench.Names;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Nftables;
using Skep.Kernel.Routes;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Network.Dns;

namespace Skep.Bench.Rows;

/// <summary>
/// Names per second that one sandbox gets from 127.0.0.11, and how long it waits at half of that: our server in this process and
/// dnsperf in a namespace of its own. The asker shares the machine's cores. The peer has no server that runs alone.
/// </summary>
internal sealed class NameServerBenchmark : ILocalBenchmark
{
    private const int Runs = 3;
    private const int Seconds = 3;

    private static readonly PlanNetwork s_network = new("bench", "bench", 4096, [new IpamConfig { Subnet = "10.0.0.0/24" }]);

    public string Name => "name-server";

    public async Task<IReadOnlyList<Figure>> RunAsync(CancellationToken cancellationToken)
    {
        var path = $"/run/netns/skep-bench-{Environment.ProcessId}";
        var folder = Directory.CreateTempSubdirectory("skep-bench-");
        try
        {
            using var space = NetworkNamespace.Create(path);
            using (var routes = RouteNetlink.Open(space))
            {
                routes.SetLink(routes.FindLink("lo")!.Index, new LinkChange { Up = true });
            }

            await new Nftables(space).RunAsync(NameRules.Transaction, cancellationToken);
            await using var names = new NameServer([], TimeProvider.System, NullLogger<NameServer>.Instance);
            names.Update(Plan());
            await names.AddAsync(new SandboxNames("bench", "bench", path) { Networks = [s_network], External = false }, cancellationToken);
            return
            [
                .. await MeasureAsync(space, folder.FullName, "one", 1, 80_000, cancellationToken),
                .. await MeasureAsync(space, folder.FullName, "forty", 40, 60_000, cancellationToken),
            ];
        }
        finally
        {
            NetworkNamespace.Delete(path);
            folder.Delete(recursive: true);
        }
    }

    private static async Task<IReadOnlyList<Figure>> MeasureAsync(
        NetworkNamespace space, string folder, string name, int records, double bar, CancellationToken cancellationToken)
    {
        var queries = Path.Combine(folder, name);
        await File.WriteAllTextAsync(queries, $"{name} A\n", cancellationToken);
        var asker = new DnsPerf(space.Origin, queries, Seconds);
        var answers = records == 1 ? "1 answer" : $"{records} answers";
        var lost = 0.0;
        var full = await Sample.OfRunsAsync(Runs, async () =>
        {
            var report = await asker.RunAsync(null, cancellationToken);
            lost = Math.Max(lost, report.Lost);
            return report.Rate;
        });
        var half = await Sample.OfRunsAsync(Runs, async () => (await asker.RunAsync((int)(full.Median / 2), cancellationToken)).P99 * 1000);
        var flood = new NameFlood(space.Origin, name, records, Seconds);
        var (costs, own) = (new List<double>(), new List<double>());
        var flooded = await Sample.OfRunsAsync(Runs, async () =>
        {
            var before = Environment.CpuUsage.TotalTime;
            var report = await flood.RunAsync(cancellationToken);
            costs.Add(report.Cost);
            own.Add(((Environment.CpuUsage.TotalTime - before).TotalMicroseconds / report.Answers) - report.Cost);
            return report.Failed == 0 ? report.Rate : throw new BenchException($"{report.Failed:P2} of the answers for {name} are wrong");
        });
        return
        [
            new Figure($"name server alone, {answers}, 100 outstanding", "/s", full, Bar.AtLeast(bar)),
            new Figure($"name server alone, {answers}, lost at full load", "%", Sample.Of(lost * 100), Bar.AtMost(0.01)),
            new Figure($"name server alone, {answers}, p99 at half load", "ms", half, Bar.AtMost(1)),
            new Figure($"name server alone, {answers}, 100 outstanding, by a client that costs less", "/s", flooded),
            new Figure($"name server alone, {answers}, the server's processor time for each", "µs", Sample.Of(own)),
            new Figure($"name server alone, {answers}, that client's processor time for each", "µs", Sample.Of(costs)),
        ];
    }

    private static NodePlan Plan()
    {
        PlanEndpoint Task(string service, int number) => new(s_network.Id, $"{service}.{number}", "n", [$"10.0.0.{number + 10}/24"])
        {
            ServiceId = service,
            State = EndpointState.Active,
            Names = [$"{service}.{number}"],
        };
        PlanService Service(string name) => new(s_network.Id, name, name, []);
        var network = new NetworkPlan(s_network)
        {
            Endpoints = Enumerable.Range(1, 40).Select(i => Task("forty", i)).Append(Task("one", 41)).ToImmutableDictionary(e => e.TaskId),
            Services = ImmutableDictionary<string, PlanService>.Empty.Add("forty", Service("forty")).Add("one", Service("one")),
        };
        return new NodePlan { Revision = 1, NodeId = "n", Networks = ImmutableDictionary<string, NetworkPlan>.Empty.Add(s_network.Id, network) };
    }
}
