using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Model.Plans;

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
            Addresses = [.. attached.SelectMany(a => a.Network.Usable(a.Attachment.Addresses).Select(Addressing.Split).Select(s => new WantedAddress(a.Interface, s.Address, s.PrefixLength)))],
            Tables = [NameTable.Wanted],
            Sysctls =
            [
                new("net.ipv4.ip_unprivileged_port_start", "0") { Once = true },
                new("net.ipv4.ping_group_range", "0\t2147483647") { Once = true },
                new("net.ipv4.conf.all.rp_filter", "2") { Once = true },
                .. attached.SelectMany(a => IPv6Settings.OfLink(a.Interface, a.Network.Has(AddressFamily.InterNetworkV6))),
            ],
        };
        foreach (var (attachment, name, network) in attached)
        {
            space = network.Network.Ingress ? WithMesh(WithReplies(space, attachment, name, network), attachment, name, network) : space;
            space = WithOtherSubnets(space, attachment, name, network);
        }

        return sandbox.GatewayAddress is null ? space : WithGateway(space, node, sandbox);
    }

    /// <summary>What the ingress network's nodes add to each container that serves published ports: the way back to them.</summary>
    public static ImmutableSortedDictionary<ShareKey, WantedShare> Shares(LocalSandbox sandbox, IReadOnlyList<NetworkView> networks)
    {
        var shares = new ShareSet();
        foreach (var attachment in sandbox.Request.Attachments.Where(a => a.Network.Ingress))
        {
            var network = networks.First(n => n.Network.Id == attachment.Network.Id);
            var families = FamiliesOf(attachment, network);
            shares.AddAll(ShareSource.Peer, network.Network.Id, network.Plan.Peers, p => Share(p, families));
        }

        return shares.ToImmutable();
    }

    /// <summary>What a node of the ingress network adds to one container.</summary>
    public static WantedShare Share(LocalSandbox sandbox, NetworkView ingress, PlanPeer peer) =>
        Share(peer, FamiliesOf(sandbox.Request.Attachments.First(a => a.Network.Id == ingress.Network.Id), ingress));

    private static List<AddressFamily> FamiliesOf(SandboxAttachment attachment, NetworkView network) =>
        MeshAddresses(attachment, network).Select(a => a.AddressFamily).Distinct().ToList();

    private static WantedShare Share(PlanPeer peer, IReadOnlyList<AddressFamily> families) => peer.IngressAddress is null
        ? WantedShare.Empty
        : new WantedShare { Elements = [.. EntryMacs(Addressing.AddressOf(peer.IngressAddress)).SelectMany(mac => MeshTables.EntryNode(mac, families))] };

    // The node's host, and its ingress_sbox with the relay.
    private static IEnumerable<string> EntryMacs(IPAddress ingress) => [Addressing.EntryMacOf(ingress), Addressing.MacOf(ingress)];

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
        var six = node.Facts.GatewayAddress6Of(sandbox);
        space = space with
        {
            Ends = space.Ends.Add(new WantedEnd(name, Addressing.MacOf(address), 1500)),
            Addresses = space.Addresses.Add(new WantedAddress(name, address, length)),
            Routes = space.Routes.Add(new WantedRoute(null, node.Facts.GatewayAddress, name)),
            Sysctls = space.Sysctls.AddRange(IPv6Settings.OfLink(name, six is not null)),
        };
        return six is null ? space : space with
        {
            Addresses = space.Addresses.Add(new WantedAddress(name, six, node.Facts.GatewaySubnet6!.Value.PrefixLength)),
            Routes = space.Routes.Add(new WantedRoute(null, node.Facts.GatewayAddress6!, name)),
        };
    }

    // What the mesh sent here is answered through the mesh, wherever the default route leads.
    private static WantedSpace WithReplies(WantedSpace space, SandboxAttachment attachment, string name, NetworkView network)
    {
        foreach (var (address, length) in network.Usable(attachment.Addresses).Select(Addressing.Split))
        {
            var gateway = network.Gateways.First(g => g.Address.AddressFamily == address.AddressFamily).Address;
            space = space with
            {
                Rules = space.Rules.Add(new WantedRule(address.AddressFamily, new System.Net.IPNetwork(address, Addressing.BitsOf(address)), null, ReplyTable, ReplyPriority)),
                Routes = space.Routes
                    .Add(new WantedRoute(Addressing.NetworkOf(address, length), null, name, ReplyTable))
                    .Add(new WantedRoute(null, gateway, name, ReplyTable)),
            };
        }

        return space;
    }

    private static WantedSpace WithMesh(WantedSpace space, SandboxAttachment attachment, string name, NetworkView network) => space with
    {
        Tables = [.. space.Tables, .. MeshTables.Of(name, MeshAddresses(attachment, network))],
        Sysctls = space.Sysctls.AddRange(
            new("net.ipv4.tcp_fwmark_accept", "1") { Once = true },
            new("net.ipv4.fwmark_reflect", "1") { Once = true },
            new("net.ipv6.fwmark_reflect", "1") { Once = true, Optional = true }),
    };

    private static List<IPAddress> MeshAddresses(SandboxAttachment attachment, NetworkView network) =>
        [.. network.Usable(attachment.Addresses).Select(Addressing.AddressOf)];

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
