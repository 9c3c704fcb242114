using System.Collections.Immutable;

namespace Skep.Network.Desired.Classic;

/// <summary>The host's chains as Docker makes them: DOCKER-INGRESS for the mesh, DOCKER for ports of this host, masquerade, no way between containers.</summary>
internal static class ClassicHost
{
    private const string Bridge = SpaceNames.GatewayBridge;
    private const string Mesh = "DOCKER-INGRESS";
    private const string Users = "DOCKER-USER";
    private const string HostPorts = "DOCKER";
    private const string Return = "-j RETURN";
    private const string Established = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";

    public static WantedSpace Of(NodeView node, IReadOnlyList<NetworkView> networks, NetworkView? ingress)
    {
        var space = HostSpace.Of(node, networks, ingress).Merged();
        var facts = node.Facts;
        var ports = ingress is null ? [] : ingress.Plan.Services.Values.SelectMany(ClassicPorts.Of).Distinct().ToList();
        var meshed =
            (from service in ingress is null ? [] : ingress.Plan.Services.Values
             from range in PublishedRange.On(node.Plan.NodeId, service, node.HeldPorts)
             // A task that waits for a header must get none without: this data plane has no relay, so it does not listen.
             where !range.IsRelayed
             from port in range.Singles()
             from who in ClassicPorts.Who(range)
             select (Who: who, Protocol: range.Protocol, Published: ClassicPorts.Text(port.First)))
            .Distinct().ToList();
        var hosted =
            (from sandbox in node.Sandboxes.Values
             where sandbox.GatewayAddress is not null
             from range in PublishedRange.Of(sandbox)
             from port in range.Singles()
             from who in ClassicPorts.Who(range)
             select (Who: who, range.Protocol, Address: Addressing.AddressOf(sandbox.GatewayAddress!), Published: ClassicPorts.Text(port.First), Target: ClassicPorts.Text(port.Target)))
            .ToList();
        return space with
        {
            Tables = [],
            Iptables =
            [
                new("nat", Mesh, [.. meshed.Select(p => $"{p.Who}-p {p.Protocol} -m {p.Protocol} --dport {p.Published} -j DNAT --to-destination {facts.IngressGatewayAddress}:{p.Published}"), Return]),
                new("nat", HostPorts, [.. hosted.Select(p => $"{p.Who}-p {p.Protocol} -m {p.Protocol} --dport {p.Published} -j DNAT --to-destination {p.Address}:{p.Target}")]),
                new("nat", "PREROUTING", Local),
                new("nat", "OUTPUT", Local),
                new("nat", "POSTROUTING",
                [
                    $"-o {Bridge} -m addrtype --src-type LOCAL -j MASQUERADE",
                    $"-s {facts.GatewaySubnet} ! -o {Bridge} -j MASQUERADE",
                ]),
                new("filter", Mesh,
                [
                    .. ports.SelectMany(p => new[]
                    {
                        $"-p {p.Protocol} -m {p.Protocol} --dport {p.Published} -j ACCEPT",
                        $"-p {p.Protocol} -m state --state RELATED,ESTABLISHED -m {p.Protocol} --sport {p.Published} -j ACCEPT",
                    }),
                    Return,
                ]),
                new("filter", HostPorts, [.. hosted.Select(p => $"-d {p.Address}/32 -o {Bridge} -p {p.Protocol} -m {p.Protocol} --dport {p.Target} -j ACCEPT").Distinct()]),
                // Before everything of ours, also before what the mesh lets through.
                new("filter", Users, [Return]) { OfUsers = true },
                new("filter", "FORWARD",
                [
                    $"-j {Users}",
                    $"-j {Mesh}",
                    $"-o {Bridge} {Established}",
                    $"-o {Bridge} -j {HostPorts}",
                    $"-i {Bridge} ! -o {Bridge} -j ACCEPT",
                    $"-o {Bridge} -j DROP",
                ]),
                .. Sealed(node, networks),
            ],
        };
    }

    // As in the table of the other data plane: for the moment after somebody flushed the kernel's IPsec policies.
    private static IEnumerable<WantedIptablesChain> Sealed(NodeView node, IReadOnlyList<NetworkView> networks) =>
        networks.Any(n => n.Network.Encrypted)
            ? from side in new[] { (Chain: "INPUT", Word: "in"), (Chain: "OUTPUT", Word: "out") }
              select new WantedIptablesChain(
                  "filter", side.Chain, [$"-p udp -m udp --dport {ClassicPorts.Text(node.Plan.EncryptedPort)} -m policy --dir {side.Word} --pol none -j DROP"])
            : [];

    private static ImmutableArray<string> Local =>
    [
        $"-m addrtype --dst-type LOCAL -j {Mesh}",
        $"-m addrtype --dst-type LOCAL -j {HostPorts}",
    ];
}
