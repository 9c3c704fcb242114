using System.Text.Json.Nodes;
using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>Makes one swarm of a lab's machines over the Engine API, as a user's <c>swarm init</c> and <c>swarm join</c> would.</summary>
internal static class SwarmForming
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    /// <summary>Does what is missing: a machine that is in a swarm already is left alone.</summary>
    public static async Task FormAsync(IReadOnlyList<Machine> machines, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var first = new MachineApi(machines[0]);
        if (!await IsMemberAsync(first, cancellationToken))
        {
            await first.PostAsync("/swarm/init", Addresses(machines[0]), cancellationToken);
        }

        var swarm = await first.GetAsync("/swarm", cancellationToken);
        var token = swarm?["JoinTokens"]?["Worker"]?.GetValue<string>()
            ?? throw new ClusterException(ErrorKind.Internal, "node1 told no join token.");
        await Task.WhenAll(machines.Skip(1).Select(machine => JoinAsync(machine, machines[0].Address, token, cancellationToken)));

        var begun = clock.GetTimestamp();
        while (await CountReadyAsync(first, cancellationToken) is var ready && ready < machines.Count)
        {
            if (clock.GetElapsedTime(begun) > s_limit)
            {
                throw new ClusterException(
                    ErrorKind.DeadlineExceeded, $"{ready} of {machines.Count} nodes are ready after {s_limit.TotalSeconds} s; see: ./skep lab exec 1 -- docker node ls");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, cancellationToken);
        }
    }

    private static async Task JoinAsync(Machine machine, string manager, string token, CancellationToken cancellationToken)
    {
        using var api = new MachineApi(machine);
        if (await IsMemberAsync(api, cancellationToken))
        {
            return;
        }

        var request = Addresses(machine);
        request["RemoteAddrs"] = new JsonArray($"{manager}:2377");
        request["JoinToken"] = token;
        await api.PostAsync("/swarm/join", request, cancellationToken);
    }

    private static JsonObject Addresses(Machine machine) =>
        new() { ["ListenAddr"] = "0.0.0.0:2377", ["AdvertiseAddr"] = machine.Address };

    private static async Task<bool> IsMemberAsync(MachineApi api, CancellationToken cancellationToken)
    {
        var info = await api.GetAsync("/info", cancellationToken);
        return info?["Swarm"]?["LocalNodeState"]?.GetValue<string>() is "active" or "pending";
    }

    private static async Task<int> CountReadyAsync(MachineApi api, CancellationToken cancellationToken)
    {
        var nodes = await api.GetAsync("/nodes", cancellationToken);
        return nodes?.AsArray().Count(node => node?["Status"]?["State"]?.GetValue<string>() == "ready") ?? 0;
    }
}
