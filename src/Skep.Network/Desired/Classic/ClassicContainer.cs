using System.Net.Sockets;

namespace Skep.Network.Desired.Classic;

/// <summary>A container's namespace: its published ports lead to its own, and on the ingress network nothing else passes.</summary>
internal static class ClassicContainer
{
    private static readonly string[] s_protocols = ["tcp", "udp"];

    public static WantedSpace Of(NodeView node, LocalSandbox sandbox, IReadOnlyList<NetworkView> networks)
    {
        var space = ContainerSpace.Of(node, sandbox, networks) with { Rules = [], Tables = [] };
        space = space with { Routes = [.. space.Routes.Where(r => r.Table == WantedRoute.Main)], Iptables = [.. Names()] };
        foreach (var attachment in sandbox.Request.Attachments.Where(a => a.Network.Ingress))
        {
            var address = attachment.Addresses.Select(Addressing.AddressOf).First(a => a.AddressFamily == AddressFamily.InterNetwork);
            var ports = ClassicPorts.Of(PortsOf(networks.First(n => n.Network.Id == attachment.Network.Id), sandbox)).ToList();
            space = space with
            {
                Iptables =
                [
                    .. space.Iptables,
                    new("nat", "PREROUTING", [.. ports.Select(p => $"-d {address}/32 -p {p.Protocol} -m {p.Protocol} --dport {p.Published} -j REDIRECT --to-ports {p.Target}")]),
                    new("filter", "INPUT",
                    [
                        .. ports.Select(p => (p.Protocol, p.Target)).Distinct()
                            .Select(p => $"-d {address}/32 -p {p.Protocol} -m {p.Protocol} --dport {p.Target} -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT"),
                        $"-d {address}/32 -p sctp -j DROP",
                        $"-d {address}/32 -p udp -j DROP",
                        $"-d {address}/32 -p tcp -j DROP",
                    ]),
                    new("filter", "OUTPUT",
                    [
                        .. ports.Select(p => (p.Protocol, p.Target)).Distinct()
                            .Select(p => $"-s {address}/32 -p {p.Protocol} -m {p.Protocol} --sport {p.Target} -m conntrack --ctstate ESTABLISHED -j ACCEPT"),
                        $"-s {address}/32 -p sctp -j DROP",
                        $"-s {address}/32 -p udp -j DROP",
                        $"-s {address}/32 -p tcp -j DROP",
                    ]),
                ],
            };
        }

        return space;
    }

    // 127.0.0.11:53 leads to the name server, which listens on a port of its own.
    private static IEnumerable<WantedIptablesChain> Names()
    {
        const string output = "DOCKER_OUTPUT", back = "DOCKER_POSTROUTING";
        var (server, port) = (NamePlace.Address, NamePlace.Port);
        yield return new WantedIptablesChain("nat", output, [.. s_protocols.Select(p => $"-d {server}/32 -p {p} -m {p} --dport 53 -j DNAT --to-destination {server}:{port}")]);
        yield return new WantedIptablesChain("nat", back, [.. s_protocols.Select(p => $"-s {server}/32 -p {p} -m {p} --sport {port} -j SNAT --to-source :53")]);
        yield return new WantedIptablesChain("nat", "OUTPUT", [$"-d {server}/32 -j {output}"]);
        yield return new WantedIptablesChain("nat", "POSTROUTING", [$"-d {server}/32 -j {back}"]);
    }

    private static IReadOnlyList<Skep.Model.Specs.PortConfig> PortsOf(NetworkView ingress, LocalSandbox sandbox) =>
        ingress.Plan.Endpoints.Values.FirstOrDefault(e => e.TaskId == sandbox.Request.TaskId) is { } endpoint
            && ingress.Plan.Services.GetValueOrDefault(endpoint.ServiceId) is { } service
            ? service.Ports
            : [];
}
