using System.Globalization;
using System.Text.Json.Nodes;

namespace Skep.Bench.Swarms;

/// <summary>A swarm of three machines in a lab of its own, Skep's or the peer's, with the bench's images on every machine.</summary>
public sealed class BenchSwarm : IAsyncDisposable
{
    private const int Machines = 3;

    private readonly bool _keep;

    private BenchSwarm(SwarmKind kind, string lab, string door, IReadOnlyList<BenchNode> nodes, bool keep)
    {
        Kind = kind;
        Lab = lab;
        Door = door;
        _keep = keep;
        Nodes = nodes;
    }

    public SwarmKind Kind { get; }

    public string Lab { get; }

    /// <summary>The launcher.</summary>
    public string Door { get; }

    public IReadOnlyList<BenchNode> Nodes { get; }

    /// <summary>The API of node1, which manages.</summary>
    public EngineSocket Api => Nodes[0].Api;

    /// <param name="kind">Whose daemon the machines run.</param>
    /// <param name="lab">Name of the lab.</param>
    /// <param name="door">The launcher, <c>./skep</c>.</param>
    /// <param name="keep">Leave the lab up at the end (and take one that is up).</param>
    public static async Task<BenchSwarm> StartAsync(SwarmKind kind, string lab, string door, bool keep, CancellationToken cancellationToken)
    {
        List<string> up = ["lab", "up", "--name", lab, "--nodes", Machines.ToString(CultureInfo.InvariantCulture)];
        if (kind == SwarmKind.Peer)
        {
            up.AddRange(["--daemon-command", "sh " + Path.Combine(AppContext.BaseDirectory, "docker-swarm.sh")]);
        }

        await Shell.RunAsync(door, up, cancellationToken);
        var listed = JsonNode.Parse(await Shell.RunAsync(door, ["lab", "ls", "--name", lab, "--format", "json"], cancellationToken))!.AsArray();
        var nodes = listed.Select((row, index) => Node(lab, row!, index + 1)).ToList();
        var swarm = new BenchSwarm(kind, lab, door, nodes, keep);
        await BenchImages.LoadAsync(swarm, cancellationToken);
        return swarm;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            node.Api.Dispose();
        }

        if (!_keep)
        {
            await Shell.RunAsync(Door, ["lab", "down", "--name", Lab], CancellationToken.None);
        }
    }

    private static BenchNode Node(string lab, JsonNode row, int number)
    {
        var folder = string.Create(CultureInfo.InvariantCulture, $"/var/lib/skep-lab/{lab}/node{number}");
        var init = int.Parse(File.ReadAllText(folder + "/machine").Split(' ')[0], CultureInfo.InvariantCulture);
        return new BenchNode(number, Field("address"), folder, new EngineSocket(Field("socket")), init);

        string Field(string name) => row.AsObject().First(pair => pair.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value!.GetValue<string>();
    }
}
