using System.Collections.Immutable;
using Skep.Model.Plans;
using Skep.Model.Specs;

namespace Skep.Testing.Dns;

/// <summary>
/// Networks with names: on "front", web (virtual address 10.0.1.2, three tasks, alias www), rr (no virtual address, 40 tasks), and idle
/// (no task that is active); on "back", db (both families). web publishes its port 80 as "http".
/// </summary>
public static class NamesExample
{
    public static PlanNetwork Front { get; } = new("front0id", "front", 4097, [new IpamConfig { Subnet = "10.0.1.0/24" }]);
    public static PlanNetwork Back { get; } = new("back00id", "Back", 4098, [new IpamConfig { Subnet = "10.0.2.0/24" }]) { EnableIPv6 = true };
    public static PlanNetwork Ingress { get; } = new("ingress0", "ingress", 4096, [new IpamConfig { Subnet = "10.0.0.0/24" }]) { Ingress = true };

    public static NetworkPlan FrontPlan { get; } = new(Front)
    {
        Endpoints = ByTask([
            .. Enumerable.Range(1, 3).Select(slot => Task(Front, "web", slot, $"10.0.1.{10 + slot}/24")),
            Task(Front, "web", 4, "10.0.1.14/24") with { State = EndpointState.Starting },
            .. Enumerable.Range(1, 40).Select(slot => Task(Front, "rr", slot, $"10.0.1.{100 + slot}/24")),
            Task(Front, "idle", 1, "10.0.1.50/24") with { State = EndpointState.Draining },
        ]),
        Services = ByService([
            new PlanService(Front.Id, "web-id", "web", ["10.0.1.2/24"]) { Aliases = ["WWW"] },
            new PlanService(Front.Id, "rr-id", "rr", []),
            new PlanService(Front.Id, "idle-id", "idle", ["10.0.1.3/24"]),
        ]),
    };

    public static NetworkPlan BackPlan { get; } = new(Back)
    {
        Endpoints = ByTask([new PlanEndpoint(Back.Id, "db.1", "n2", ["10.0.2.11/24", "fd00:2::11/64"]) { ServiceId = "db-id", State = EndpointState.Active, Names = ["db.1.xyz"] }]),
        Services = ByService([new PlanService(Back.Id, "db-id", "db", [])]),
    };

    public static NetworkPlan IngressPlan { get; } = new(Ingress)
    {
        Services = ByService([new PlanService(Ingress.Id, "web-id", "web", ["10.0.0.5/24"]) { Ports = [new PortConfig { Name = "http", Protocol = "tcp", TargetPort = 80, PublishedPort = 8080 }] }]),
    };

    public static NodePlan Plan { get; } = new()
    {
        Revision = 1,
        NodeId = "n1",
        Networks = ImmutableDictionary<string, NetworkPlan>.Empty.Add(Front.Id, FrontPlan).Add(Back.Id, BackPlan).Add(Ingress.Id, IngressPlan),
    };

    /// <summary>Task "web.1" is named web.1.abc, by its short container id c0ffeeweb001, and "peer", an alias that all tasks of a service have.</summary>
    public static PlanEndpoint Task(PlanNetwork network, string service, int slot, params string[] addresses) =>
        new(network.Id, $"{service}.{slot}", "n1", addresses)
        {
            ServiceId = $"{service}-id",
            State = EndpointState.Active,
            Names = [$"{service}.{slot}.abc", $"{service}-peer", $"c0ffee{service}{slot:000}"],
        };

    public static ImmutableDictionary<string, PlanEndpoint> ByTask(IEnumerable<PlanEndpoint> endpoints) => endpoints.ToImmutableDictionary(e => e.TaskId);

    public static ImmutableDictionary<string, PlanService> ByService(IEnumerable<PlanService> services) => services.ToImmutableDictionary(s => s.ServiceId);
}
