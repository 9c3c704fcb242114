using System.Text.Json;
using System.Text.Json.Nodes;
using Skep.Manager.Allocation;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;
using Skep.Protocol.Records;

namespace Skep.Manager.Orchestration;

/// <summary>
/// Would this task be made the same today? Specs are compared in a canonical form in which what was left out reads like its default.
/// A wish that differs only in the placement leaves a task alone whose node still fits.
/// </summary>
public sealed class TaskComparison(SwarmService service)
{
    // All tasks of one version have one spec: each version is compared once.
    private readonly Dictionary<ulong, (bool Same, bool OnlyPlacement)> _verdicts = [];
    private (string Whole, string WithoutPlacement)? _wish;

    public bool IsDirty(SwarmTask task, SwarmNode? node)
    {
        if (task.SpecVersion == service.SpecVersion)
        {
            return false;
        }

        if (!_verdicts.TryGetValue(task.SpecVersion, out var verdict))
        {
            var template = service.Spec.TaskTemplate;
            _wish ??= Forms(template with { Networks = template.Networks ?? service.Spec.Networks }, service.Spec.EndpointSpec);
            var own = Forms(task.Spec, task.Endpoint);
            _verdicts[task.SpecVersion] = verdict = (own.Whole == _wish.Value.Whole, own.WithoutPlacement == _wish.Value.WithoutPlacement);
        }

        return !verdict.Same
            && !(verdict.OnlyPlacement && node is not null && PlacementConstraint.AllMatch(service.Spec.TaskTemplate.Placement?.Constraints, node));
    }

    private static (string Whole, string WithoutPlacement) Forms(TaskSpec spec, EndpointSpec? endpoint)
    {
        var ports = string.Join(',', (endpoint?.Ports ?? []).Select(p =>
            $"{p.Name}/{PortRules.Protocol(p)}/{p.TargetPort}/{p.PublishedPort ?? 0}/{(PortRules.IsHost(p) ? PortConfig.Host : PortConfig.Ingress)}"));
        var mode = endpoint?.Mode == EndpointSpec.DnsRoundRobin ? EndpointSpec.DnsRoundRobin : EndpointSpec.Vip;
        var rest = Canonical(spec with { Placement = null });
        var placement = Canonical(new TaskSpec { Placement = spec.Placement });
        var common = $"{rest} {mode} {ports}";
        return ($"{common} {placement}", common);
    }

    private static string Canonical(TaskSpec spec)
    {
        var container = spec.ContainerSpec;
        var filled = spec with
        {
            Runtime = spec.Runtime is null or "" ? "container" : spec.Runtime,
            ContainerSpec = container is null ? null : container with { StopGracePeriod = container.StopGracePeriod ?? 10_000_000_000 },
            RestartPolicy = new RestartPolicy
            {
                Condition = spec.RestartPolicy?.Condition is null or "" ? "any" : spec.RestartPolicy.Condition,
                Delay = spec.RestartPolicy?.Delay ?? RestartSupervisor.DefaultDelayNanoseconds,
                MaxAttempts = spec.RestartPolicy?.MaxAttempts ?? 0,
                Window = spec.RestartPolicy?.Window ?? 0,
            },
        };
        var node = JsonSerializer.SerializeToNode(filled, RecordJson.Default.TaskSpec);
        return Trim(node)?.ToJsonString() ?? "";
    }

    /// <summary>The same without anything empty: null, false, 0, "", [], {}. Members of maps come in the order of their names.</summary>
    private static JsonNode? Trim(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                var members = map.Select(m => (m.Key, Value: Trim(m.Value))).Where(m => m.Value is not null)
                    .OrderBy(m => m.Key, StringComparer.Ordinal)
                    .Select(m => KeyValuePair.Create(m.Key, m.Value)).ToArray();
                return members.Length == 0 ? null : new JsonObject(members);
            case JsonArray list:
                return list.Count == 0 ? null : new JsonArray([.. list.Select(i => Trim(i) ?? "")]);
            case JsonValue value when value.ToJsonString() is "false" or "0" or "\"\"":
                return null;
            default:
                return node?.DeepClone();
        }
    }
}
