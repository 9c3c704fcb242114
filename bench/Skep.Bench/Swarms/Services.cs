using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Skep.Bench.Swarms;

/// <summary>What benchmarks do with services and networks, over the API.</summary>
public static class Services
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>The service's id.</summary>
    public static async Task<string> CreateServiceAsync(this BenchSwarm swarm, ServiceWish wish, CancellationToken cancellationToken) =>
        (await swarm.Api.PostAsync("/services/create", wish.ToSpec(), cancellationToken))!["ID"]!.GetValue<string>();

    public static async Task ScaleAsync(this BenchSwarm swarm, string service, int replicas, CancellationToken cancellationToken)
    {
        var now = await swarm.Api.GetAsync("/services/" + service, cancellationToken);
        var version = now["Version"]!["Index"]!.GetValue<ulong>();
        var spec = now["Spec"]!.DeepClone().AsObject();
        spec["Mode"]!["Replicated"]!["Replicas"] = replicas;
        await swarm.Api.PostAsync(string.Create(CultureInfo.InvariantCulture, $"/services/{service}/update?version={version}"), spec, cancellationToken);
    }

    public static async Task<IReadOnlyList<JsonNode>> TasksAsync(this BenchSwarm swarm, string service, CancellationToken cancellationToken)
    {
        var filter = Uri.EscapeDataString($$$"""{"service":{"{{{service}}}":true}}""");
        return [.. (await swarm.Api.GetAsync("/tasks?filters=" + filter, cancellationToken)).AsArray().Select(task => task!)];
    }

    /// <summary>Returns when exactly so many tasks are wanted and run, and nothing else of the service runs.</summary>
    public static async Task<IReadOnlyList<JsonNode>> UntilRunningAsync(this BenchSwarm swarm, string service, int count, CancellationToken cancellationToken)
    {
        IReadOnlyList<JsonNode> running = [];
        await UntilAsync(
            async () =>
            {
                var tasks = await swarm.TasksAsync(service, cancellationToken);
                running = [.. tasks.Where(task => State(task) == "running")];
                var problem = tasks.Select(task => task["Status"]?["Err"]?.GetValue<string>()).FirstOrDefault(text => !string.IsNullOrEmpty(text));
                return (running.Count == count && running.All(IsWanted), $"{running.Count} of {count} tasks run. {problem}");
            },
            cancellationToken);
        return running;
    }

    /// <summary>Returns when no machine has a container any more.</summary>
    public static Task UntilNoContainersAsync(this BenchSwarm swarm, CancellationToken cancellationToken) => UntilAsync(
        async () =>
        {
            var left = 0;
            foreach (var node in swarm.Nodes)
            {
                left += (await node.Api.GetAsync("/containers/json?all=1", cancellationToken)).AsArray().Count;
            }

            return (left == 0, $"{left} containers are left.");
        },
        cancellationToken);

    public static async Task RemoveServiceAsync(this BenchSwarm swarm, string service, CancellationToken cancellationToken)
    {
        await swarm.Api.DeleteAsync("/services/" + service, cancellationToken);
        await swarm.UntilNoContainersAsync(cancellationToken);
    }

    /// <summary>An overlay network's id.</summary>
    public static async Task<string> CreateNetworkAsync(this BenchSwarm swarm, string name, CancellationToken cancellationToken)
    {
        var wish = new JsonObject { ["Name"] = name, ["Driver"] = "overlay", ["CheckDuplicate"] = true, ["Attachable"] = true };
        return (await swarm.Api.PostAsync("/networks/create", wish, cancellationToken))!["Id"]!.GetValue<string>();
    }

    /// <summary>Removes it; endpoints of tasks that ended a moment ago may hold it for a while.</summary>
    public static Task RemoveNetworkAsync(this BenchSwarm swarm, string network, CancellationToken cancellationToken) => UntilAsync(
        async () =>
        {
            try
            {
                await swarm.Api.DeleteAsync("/networks/" + network, cancellationToken);
                return (true, "");
            }
            catch (BenchException busy)
            {
                return (false, busy.Message);
            }
        },
        cancellationToken);

    public static async Task UntilAsync(Func<Task<(bool Done, string Problem)>> look, CancellationToken cancellationToken)
    {
        var begun = Stopwatch.GetTimestamp();
        while (await look() is var (done, problem) && !done)
        {
            if (Stopwatch.GetElapsedTime(begun) > s_patience)
            {
                throw new BenchException($"Not so after {s_patience.TotalSeconds} s: {problem}");
            }

            await Task.Delay(s_poll, cancellationToken);
        }
    }

    private static string State(JsonNode task) => task["Status"]!["State"]!.GetValue<string>();

    private static bool IsWanted(JsonNode task) => task["DesiredState"]!.GetValue<string>() == "running";
}
