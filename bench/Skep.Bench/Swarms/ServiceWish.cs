using System.Text.Json.Nodes;

namespace Skep.Bench.Swarms;

/// <summary>A service as the bench wants it; <see cref="ToSpec"/> is the body of <c>POST /services/create</c>.</summary>
public sealed record ServiceWish(string Name, int Replicas)
{
    public string Image { get; init; } = BenchImages.Busybox;

    public IReadOnlyList<string> Args { get; init; } = ["busybox", "sleep", "1000000"];

    /// <summary>A program that answers HTTP at <see cref="HttpPort"/>.</summary>
    public static IReadOnlyList<string> Http { get; } = ["busybox", "httpd", "-f", "-p", "3000", "-h", "/www"];

    public const int HttpPort = 3000;

    /// <summary>Id of a network; null for none.</summary>
    public string? Network { get; init; }

    /// <summary>Published port and the task's; null for none.</summary>
    public (int Published, int Target)? Port { get; init; }

    public bool HostMode { get; init; }

    /// <summary>A constraint such as <c>node.hostname==node2</c>; null for none.</summary>
    public string? Constraint { get; init; }

    public JsonObject ToSpec()
    {
        var container = new JsonObject { ["Image"] = Image, ["StopGracePeriod"] = 100_000_000 };
        if (Args.Count > 0)
        {
            container["Command"] = new JsonArray([.. Args.Select(word => (JsonNode)word)]);
        }

        var task = new JsonObject { ["ContainerSpec"] = container };
        if (Constraint is not null)
        {
            task["Placement"] = new JsonObject { ["Constraints"] = new JsonArray(Constraint) };
        }

        if (Network is not null)
        {
            task["Networks"] = new JsonArray(new JsonObject { ["Target"] = Network });
        }

        var spec = new JsonObject
        {
            ["Name"] = Name,
            ["TaskTemplate"] = task,
            ["Mode"] = new JsonObject { ["Replicated"] = new JsonObject { ["Replicas"] = Replicas } },
            ["EndpointSpec"] = new JsonObject { ["Mode"] = "vip" },
        };
        if (Port is { } port)
        {
            spec["EndpointSpec"]!["Ports"] = new JsonArray(new JsonObject
            {
                ["Protocol"] = "tcp", ["PublishedPort"] = port.Published, ["TargetPort"] = port.Target, ["PublishMode"] = HostMode ? "host" : "ingress",
            });
        }

        return spec;
    }
}
