using System.Net;
using Skep.Manager.Allocation;
using Skep.Manager.Store;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Rules.Labels;
using Skep.Model.Specs;
using Skep.Model.States;

namespace Skep.Manager.Control;

/// <summary>
/// A port that a program of a host holds is not taken away from it: the mesh listens on every node, and would answer for sshd. The
/// nodes say what their programs listen on; labels can leave those nodes or addresses out.
/// </summary>
internal static class HeldPorts
{
    private const int MostNames = 5;

    /// <summary>Refuses ports that the service does not publish yet in the same way.</summary>
    /// <param name="spec">What is wished for.</param>
    /// <param name="before">The service as it is; null = it is new.</param>
    /// <param name="view">What is known.</param>
    public static void Check(ServiceSpec spec, SwarmService? before, StoreView view)
    {
        CheckMesh(spec, before?.Spec, view);
        if (before is not null)
        {
            CheckHosted(spec, before, view);
        }
    }

    private static void CheckMesh(ServiceSpec spec, ServiceSpec? before, StoreView view)
    {
        var publish = ServiceLabels.Of(spec).Publish;
        var had = before is null ? [] : Published(before).Select(p => (p, Words(ServiceLabels.Of(before).Publish, p.PublishedPort!.Value))).ToHashSet();
        var wanted = Published(spec).Where(p => !had.Contains((p, Words(publish, p.PublishedPort!.Value)))).ToList();
        if (wanted.Count == 0)
        {
            return;
        }

        var listeners = Listeners(view.Nodes.Values, view);
        foreach (var port in wanted)
        {
            var labels = Narrowest(publish, port.PublishedPort!.Value);
            var holders = listeners[(PortRules.Protocol(port), port.PublishedPort.Value)]
                .Where(l => PlacementConstraint.AllMatch(labels?.Nodes, l.Node) && Meets(labels?.Addresses, l.Listener.Address))
                .ToList();
            if (holders.Count > 0)
            {
                throw RpcText.Invalid($"{Sentence(port, holders)}; label {LabelNames.Publish}{port.PublishedPort}.{LabelNames.Nodes} can leave nodes out, "
                    + $"{LabelNames.Publish}{port.PublishedPort}.{LabelNames.Addresses} addresses");
            }
        }
    }

    /// <summary>
    /// A new task's port of mode host is taken on its node and refused there. Where tasks have it already, other labels may open it on
    /// addresses at which a program has it.
    /// </summary>
    private static void CheckHosted(ServiceSpec spec, SwarmService before, StoreView view)
    {
        var (publish, had) = (ServiceLabels.Of(spec).Publish, ServiceLabels.Of(before.Spec).Publish);
        var widened = (spec.EndpointSpec?.Ports ?? [])
            .Where(p => p.PublishMode == PortConfig.Host && p.PublishedPort is > 0 && Words(publish, p.PublishedPort.Value) != Words(had, p.PublishedPort.Value)).ToList();
        if (widened.Count == 0)
        {
            return;
        }

        var nodes = view.Tasks.Values.Where(t => t.ServiceId == before.Id && t.Status.State <= TaskState.Running && t.NodeId.Length > 0).Select(t => t.NodeId).ToHashSet(StringComparer.Ordinal);
        var listeners = Listeners(view.Nodes.Values.Where(n => nodes.Contains(n.Id)), view);
        foreach (var port in widened)
        {
            var addresses = Narrowest(publish, port.PublishedPort!.Value)?.Addresses;
            var holders = listeners[(PortRules.Protocol(port), port.PublishedPort.Value)].Where(l => Meets(addresses, l.Listener.Address)).ToList();
            if (holders.Count > 0)
            {
                throw RpcText.Invalid($"{Sentence(port, holders)}; label {LabelNames.Publish}{port.PublishedPort}.{LabelNames.Addresses} can leave addresses out");
            }
        }
    }

    private static ILookup<(string Protocol, uint Port), (SwarmNode Node, HostListener Listener)> Listeners(IEnumerable<SwarmNode> nodes, StoreView view) =>
        (from node in nodes
         // Nodes tell of the tunnels' socket too, which is the kernel's and no program's.
         from listener in (node.Description?.Listeners ?? []).Where(l => (l.Protocol, l.Port) != ("udp", DataPathPort(view))).Concat(OfTheSwarm(node, view))
         select (Node: node, Listener: listener)).ToLookup(l => (l.Listener.Protocol, (uint)l.Listener.Port));

    /// <summary>What the swarm itself cannot do without: the managers' control port, and the tunnels' port.</summary>
    private static IEnumerable<HostListener> OfTheSwarm(SwarmNode node, StoreView view)
    {
        if (node.ManagerStatus is { Addr: var address } && IPEndPoint.TryParse(address, out var control))
        {
            yield return new HostListener("tcp", (ushort)control.Port, IPAddress.Any.ToString(), "skep");
        }

        yield return new HostListener("udp", DataPathPort(view), IPAddress.Any.ToString(), "skep's tunnels");
    }

    private static ushort DataPathPort(StoreView view) => (ushort)(view.Cluster?.DataPathPort ?? 4789);

    /// <summary>Is what listens on <paramref name="listening"/> in the way of what listens on these prefixes of local addresses?</summary>
    internal static bool Meets(IReadOnlyList<string>? prefixes, string listening)
    {
        if (prefixes is null || !IPAddress.TryParse(listening, out var address))
        {
            return true;
        }

        return address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || prefixes.Any(p => IPNetwork.Parse(p).Contains(address));
    }

    private static string Sentence(PortConfig port, List<(SwarmNode Node, HostListener Listener)> holders) =>
        $"port {port.PublishedPort}/{PortRules.Protocol(port)} is held by " + string.Join(" and by ", holders
            .GroupBy(h => h.Listener.Program.Length == 0 ? "a program" : h.Listener.Program, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => $"{g.Key} on {Names(g.Select(h => h.Node))}"));

    private static string Names(IEnumerable<SwarmNode> nodes)
    {
        var names = nodes.Select(n => n.Description?.Hostname is { Length: > 0 } name ? name : n.Id).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        return names.Count <= MostNames ? string.Join(", ", names) : $"{string.Join(", ", names.Take(MostNames))} and {names.Count - MostNames} other nodes";
    }

    private static IEnumerable<PortConfig> Published(ServiceSpec spec) =>
        (spec.EndpointSpec?.Ports ?? []).Where(p => PortRules.IsIngress(p) && p.PublishedPort is > 0);

    private static PublishLabels? Narrowest(IEnumerable<PublishLabels> publish, uint port) =>
        publish.Where(l => port >= l.First && port <= l.Last).MinBy(l => l.Last - l.First);

    private static string Words(IEnumerable<PublishLabels> publish, uint port) => Narrowest(publish, port) is { } labels
        ? $"{string.Join(',', labels.Nodes ?? [])} {string.Join(',', labels.Addresses ?? [])}"
        : "";
}
