using System.Globalization;

namespace Skep.Network.Desired;

/// <summary>A container's namespace: an interface per network in the order of the request, the gateway bridge's last.</summary>
internal static class ContainerSpace
{
    private const uint ReplyTable = 100;
    private const uint ReplyPriority = 100;

    public static WantedSpace Of(NodeView node, LocalSandbox sandbox, IReadOnlyList<NetworkView> networks)
    {
        var attached = sandbox.Request.Attachments
            .Select((a, i) => (Attachment: a, Interface: Interface(i), Network: networks.First(n => n.Network.Id == a.Network.Id)))
            .ToList();
        var space = new WantedSpace(sandbox.SpaceName, SpaceKind.Container)
        {
            Ends = [.. attached.Select(a => new WantedEnd(a.Interface, Addressing.MacOf(Addressing.AddressOf(a.Attachment.Addresses[0])), a.Network.Mtu))],
            Addresses = [.. attached.SelectMany(a => a.Attachment.Addresses.Select(Addressing.Split).Select(s => new WantedAddress(a.Interface, s.Address, s.PrefixLength)))],
            Sysctls =
            [
                new("net.ipv4.ip_unprivileged_port_start", "0") { Once = true },
                new("net.ipv4.ping_group_range", "0\t2147483647") { Once = true },
                new("net.ipv4.conf.all.rp_filter", "2") { Once = true },
                .. attached.Where(a => !a.Network.Network.EnableIPv6)
                    .Select(a => new WantedSysctl($"net.ipv6.conf.{a.Interface}.disable_ipv6", "1") { Once = true, Optional = true }),
            ],
        };
        foreach (var (attachment, name, network) in attached)
        {
            space = network.Network.Ingress ? WithReplies(space, attachment, name, network) : space;
            space = WithOtherSubnets(space, attachment, name, network);
        }

        return sandbox.GatewayAddress is null ? space : WithGateway(space, node, sandbox);
    }

    public static string GatewayInterface(LocalSandbox sandbox) => Interface(sandbox.Request.Attachments.Count);

    public static string InterfaceOn(LocalSandbox sandbox, string networkId)
    {
        for (var i = 0; i < sandbox.Request.Attachments.Count; i++)
        {
            if (sandbox.Request.Attachments[i].Network.Id == networkId)
            {
                return Interface(i);
            }
        }

        throw new ArgumentException($"Container {sandbox.SpaceName} is not on network {networkId}.", nameof(networkId));
    }

    public static string Interface(int index) => string.Create(CultureInfo.InvariantCulture, $"eth{index}");

    private static WantedSpace WithGateway(WantedSpace space, NodeView node, LocalSandbox sandbox)
    {
        var name = GatewayInterface(sandbox);
        var (address, length) = Addressing.Split(sandbox.GatewayAddress!);
        return space with
        {
            Ends = space.Ends.Add(new WantedEnd(name, Addressing.MacOf(address), 1500)),
            Addresses = space.Addresses.Add(new WantedAddress(name, address, length)),
            Routes = space.Routes.Add(new WantedRoute(null, node.Facts.GatewayAddress, name)),
            Sysctls = space.Sysctls.Add(new WantedSysctl($"net.ipv6.conf.{name}.disable_ipv6", "1") { Once = true, Optional = true }),
        };
    }

    // What the mesh sent here is answered through the mesh, wherever the default route leads.
    private static WantedSpace WithReplies(WantedSpace space, SandboxAttachment attachment, string name, NetworkView network)
    {
        var (address, length) = Addressing.Split(attachment.Addresses[0]);
        var gateway = network.Gateways.First(g => g.Address.AddressFamily == address.AddressFamily).Address;
        return space with
        {
            Rules = space.Rules.Add(new WantedRule(address.AddressFamily, new System.Net.IPNetwork(address, address.GetAddressBytes().Length * 8), null, ReplyTable, ReplyPriority)),
            Routes = space.Routes
                .Add(new WantedRoute(Addressing.NetworkOf(address, length), null, name, ReplyTable))
                .Add(new WantedRoute(null, gateway, name, ReplyTable)),
        };
    }

    private static WantedSpace WithOtherSubnets(WantedSpace space, SandboxAttachment attachment, string name, NetworkView network)
    {
        var own = attachment.Addresses.Select(Addressing.Split).Select(a => Addressing.NetworkOf(a.Address, a.PrefixLength)).ToHashSet();
        foreach (var subnet in network.Network.Subnets.Where(s => s.Subnet is not null))
        {
            var (address, length) = Addressing.Split(subnet.Subnet!);
            var gateway = network.Gateways.Select(g => g.Address)
                .FirstOrDefault(g => g.AddressFamily == address.AddressFamily && own.Any(o => o.Contains(g)));
            if (gateway is not null && own.All(o => !o.Contains(address)))
            {
                space = space with { Routes = space.Routes.Add(new WantedRoute(Addressing.NetworkOf(address, length), gateway, name)) };
            }
        }

        return space;
    }
}
