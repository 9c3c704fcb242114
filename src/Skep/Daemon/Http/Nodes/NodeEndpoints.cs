using Skep.Daemon.Http.Infrastructure;
using Skep.Daemon.Http.Swarm;
using Skep.EngineApi.Nodes;
using Skep.Manager.Control;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Rules;

namespace Skep.Daemon.Http.Nodes;

internal static class NodeEndpoints
{
    public static void MapNodes(this IEndpointRouteBuilder routes, ManagerAccess manager)
    {
        routes.MapGet("/nodes", (RequestDelegate)(context => ListAsync(context, manager.Require())));
        routes.MapGet("/nodes/{name}", (RequestDelegate)(context =>
        {
            var view = manager.Require().View;
            return context.WriteJsonAsync(Inspect(Lookup.Node(view, context.Segment("name")), view), NodeJson.Default.NodeInspect);
        }));
        routes.MapPost("/nodes/{name}/update", (RequestDelegate)(async context =>
        {
            var control = manager.Require();
            var spec = await context.ReadJsonAsync(NodeJson.Default.NodeSpec);
            await control.Nodes.UpdateAsync(context.Segment("name"), context.ObjectVersion(), spec, context.RequestAborted);
            await context.WriteEmptyAsync();
        }));
        routes.MapDelete("/nodes/{name}", (RequestDelegate)(async context =>
        {
            await manager.Require().Nodes.RemoveAsync(context.Segment("name"), context.Flag("force"), context.RequestAborted);
            await context.WriteEmptyAsync();
        }));
    }

    /// <summary>With the networks whose addresses the node has other uses for: that is no state, but what its state's message is read for.</summary>
    private static NodeInspect Inspect(SwarmNode node, StoreView view)
    {
        var shape = NodeInspect.Of(node);
        var overlaps = view.Networks.Values.OrderBy(n => n.Spec.Name, StringComparer.Ordinal)
            .SelectMany(n => HostOverlaps.Of(n.Subnets, [node]).Select(o => $"network {n.Spec.Name} overlaps {o.Prefix.What}")).ToList();
        return overlaps.Count == 0 ? shape : shape with
        {
            Status = shape.Status with { Message = string.Join("; ", new[] { shape.Status.Message }.OfType<string>().Concat(overlaps)) },
        };
    }

    private static Task ListAsync(HttpContext context, ClusterControl control)
    {
        var filters = Filters.Of(context, "id", "name", "label", "node.label", "role", "membership");
        RequireWords(filters, "role", ["worker", "manager"]);
        RequireWords(filters, "membership", ["accepted", "pending"]);
        IReadOnlyList<NodeInspect> nodes =
        [
            .. control.View.Nodes.Values.Where(n => Matches(n, filters)).OrderBy(n => n.CreatedAt).ThenBy(n => n.Id, StringComparer.Ordinal).Select(NodeInspect.Of),
        ];
        return context.WriteJsonAsync(nodes, NodeJson.Default.IReadOnlyListNodeInspect);
    }

    private static bool Matches(SwarmNode node, Filters filters) =>
        filters.Any("id", id => node.Id.StartsWith(id, StringComparison.Ordinal))
        && filters.Any("name", name => NameOf(node).StartsWith(name, StringComparison.Ordinal))
        && filters.Any("role", role => node.Role == role)
        && filters.Any("membership", membership => membership == "accepted")
        && filters.Labels("label", node.Description?.Engine.Labels)
        && filters.Labels("node.label", node.Spec.Labels);

    private static string NameOf(SwarmNode node) => string.IsNullOrEmpty(node.Spec.Name) ? node.Description?.Hostname ?? "" : node.Spec.Name;

    private static void RequireWords(Filters filters, string key, string[] words)
    {
        if (filters[key].FirstOrDefault(v => !words.Contains(v)) is { } wrong)
        {
            throw ClusterException.Invalid($"Invalid {key} filter: '{wrong}'");
        }
    }
}
