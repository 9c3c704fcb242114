using Skep.Bench.Measuring;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>Resident memory of each program of a machine, with an idle swarm and with 40 tasks on an overlay.</summary>
internal sealed class MemoryBenchmark : IBenchmark
{
    // What is given back after work is given back within some seconds.
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(5);

    public string Name => "memory";

    public async Task<IReadOnlyList<Figure>> RunAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        var figures = new List<Figure>();
        await Task.Delay(s_settle, cancellationToken);
        Add("idle swarm", Bar.AtMost(100), Bar.AtMost(80));

        var network = await swarm.CreateNetworkAsync("bench-memory", cancellationToken);
        var service = await swarm.CreateServiceAsync(new ServiceWish("bench-memory", 40) { Network = network }, cancellationToken);
        await swarm.UntilRunningAsync(service, 40, cancellationToken);
        await Task.Delay(s_settle, cancellationToken);
        Add("40 tasks", null, null);
        AddShims();
        await swarm.RemoveServiceAsync(service, cancellationToken);
        await swarm.RemoveNetworkAsync(network, cancellationToken);
        return figures;

        void Add(string when, Bar? manager, Bar? worker)
        {
            AddOne($"memory of the daemon, {when}, manager", [swarm.Nodes[0]], BenchNode.IsDaemon, manager);
            AddOne($"memory of the daemon, {when}, worker", swarm.Nodes.Skip(1), BenchNode.IsDaemon, worker);
            AddOne($"memory of containerd, {when}", swarm.Nodes, name => name == "containerd", null);
            AddOne($"memory of etcd, {when}", [swarm.Nodes[0]], name => name == "etcd", null);
        }

        void AddOne(string name, IEnumerable<BenchNode> nodes, Func<string, bool> wanted, Bar? bar)
        {
            double[] found = [.. Find(nodes, wanted).Select(memory => memory.Resident)];
            if (found.Length > 0)
            {
                figures.Add(new Figure(name, "MiB", Sample.Of(found), bar));
            }
        }

        void AddShims()
        {
            var shims = Find(swarm.Nodes, name => name.StartsWith("containerd-shim", StringComparison.Ordinal)).ToList();
            if (shims.Count > 0)
            {
                figures.Add(new Figure("memory of one shim, resident", "MiB", Sample.Of(shims.ConvertAll(shim => shim.Resident))));
                figures.Add(new Figure("memory of one shim, its share", "MiB", Sample.Of(shims.ConvertAll(shim => shim.Share))));
            }
        }
    }

    private static IEnumerable<Memory> Find(IEnumerable<BenchNode> nodes, Func<string, bool> wanted) =>
        nodes.SelectMany(node => node.Processes()).Where(process => wanted(BenchNode.ProgramOf(process))).Select(Memory.Of).OfType<Memory>();
}
