using System.Collections.Immutable;
using System.Net;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Network.Desired;

namespace Skep.UnitTests.Network;

/// <summary>A node in a swarm of two: web runs here and there and publishes 8000; it is reached on demo by 10.0.1.2.</summary>
internal static class PlanExample
{
    public static readonly PlanNetwork Ingress = new("ingress0id", "ingress", 4096, [new IpamConfig { Subnet = "10.0.0.0/24", Gateway = "10.0.0.1" }]) { Ingress = true };
    public static readonly PlanNetwork Demo = new("demo00id", "demo", 4097, [new IpamConfig { Subnet = "10.0.1.0/24" }]);

    public static string Container { get; } = new('a', 64);

    public static NodeView Node(NetworkPlan? demo = null, PlanNetwork? network = null) => new(
        new NodePlan
        {
            NodeId = "n1",
            Revision = 7,
            Networks = ImmutableDictionary<string, NetworkPlan>.Empty.Add(Ingress.Id, IngressPlan()).Add(Demo.Id, demo ?? DemoPlan()),
        },
        new NodeFacts(IPAddress.Parse("192.0.2.1"), IPNetwork.Parse("172.18.0.0/16"))
        {
            SpaceNumbers = ImmutableDictionary<string, int>.Empty.Add(Ingress.Id, 1).Add(Demo.Id, 2),
        })
    {
        Sandboxes = ImmutableSortedDictionary<string, LocalSandbox>.Empty.Add(Container, new LocalSandbox(Request(network ?? Demo))
        {
            GatewayAddress = "172.18.0.3/16",
            HostPorts = [new PortConfig { PublishedPort = 8080, TargetPort = 80 }],
            Cables = ImmutableDictionary<string, int>.Empty.Add(Ingress.Id, 1).Add(Demo.Id, 0),
        }),
    };

    public static SandboxRequest Request(PlanNetwork network) => new(Container, "t1")
    {
        Attachments = [new SandboxAttachment(Ingress, ["10.0.0.5/24"]), new SandboxAttachment(network, ["10.0.1.3/24"])],
    };

    public static NetworkPlan DemoPlan(EndpointState here = EndpointState.Active, EndpointState there = EndpointState.Active) => new(Demo)
    {
        Peers = Peers(Demo, null, null),
        Endpoints = Endpoints(Demo, "10.0.1.3/24", here, "10.0.1.4/24", there),
        Services = ImmutableDictionary<string, PlanService>.Empty.Add("s1", new PlanService(Demo.Id, "s1", "web", ["10.0.1.2/24"])),
    };

    private static NetworkPlan IngressPlan() => new(Ingress)
    {
        Peers = Peers(Ingress, "10.0.0.11/24", "10.0.0.12/24"),
        Endpoints = Endpoints(Ingress, "10.0.0.5/24", EndpointState.Active, "10.0.0.6/24", EndpointState.Active),
        Services = ImmutableDictionary<string, PlanService>.Empty.Add("s1", new PlanService(Ingress.Id, "s1", "web", ["10.0.0.4/24"])
        {
            Ports = [new PortConfig { PublishedPort = 8000, TargetPort = 3000 }],
        }),
    };

    private static ImmutableDictionary<string, PlanPeer> Peers(PlanNetwork network, string? first, string? second) =>
        ImmutableDictionary<string, PlanPeer>.Empty
            .Add("n1", new PlanPeer(network.Id, "n1", "192.0.2.1") { IngressAddress = first })
            .Add("n2", new PlanPeer(network.Id, "n2", "192.0.2.2") { IngressAddress = second });

    private static ImmutableDictionary<string, PlanEndpoint> Endpoints(PlanNetwork network, string here, EndpointState hereState, string there, EndpointState thereState) =>
        ImmutableDictionary<string, PlanEndpoint>.Empty
            .Add("t1", new PlanEndpoint(network.Id, "t1", "n1", [here]) { ServiceId = "s1", State = hereState })
            .Add("t2", new PlanEndpoint(network.Id, "t2", "n2", [there]) { ServiceId = "s1", State = thereState });
}
