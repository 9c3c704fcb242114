using System.Globalization;
using System.Text.Json.Nodes;
using Skep.Bench.Swarms;

namespace Skep.Bench.Rows;

/// <summary>Where a task of the bench is: its process, its addresses.</summary>
internal static class BenchTask
{
    /// <summary>A process of the task, as an id of this machine: one whose cgroup names the container.</summary>
    public static int ProcessOf(JsonNode task) => ProcessesOf(task)[0];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<int> ProcessesOf(JsonNode task)
    {
        var container = task["Status"]!["ContainerStatus"]!["ContainerID"]!.GetValue<string>();
        List<int> found = [.. BenchNode.AllProcesses().Where(process => IsOf(process, container))];
        return found.Count > 0 ? found : throw new BenchException($"no process of container {container} is seen");
    }

    public static async Task<string> VipAsync(BenchSwarm swarm, string service, string network, CancellationToken cancellationToken)
    {
        var endpoint = (await swarm.Api.GetAsync("/services/" + service, cancellationToken))["Endpoint"]!["VirtualIPs"]!.AsArray();
        return Plain(endpoint.First(vip => vip!["NetworkID"]!.GetValue<string>() == network)!["Addr"]!);
    }

    public static string AddressOn(JsonNode task, string network) => Plain(task["NetworksAttachments"]!.AsArray()
        .First(attachment => attachment!["Network"]!["ID"]!.GetValue<string>() == network)!["Addresses"]![0]!);

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

    private static string Plain(JsonNode address) => address.GetValue<string>().Split('/')[0];
}
