using System.Collections.Immutable;
using Skep.Model.Plans;
using Skep.Network.Desired;
using Skep.Network.Desired.Classic;

namespace Skep.UnitTests.Network;

/// <summary>Who may reach published ports, as iptables has it.</summary>
public sealed class ClassicHostTests
{
    [Fact]
    public void Everybody_is_let_in_by_a_rule_without_a_word_of_who()
    {
        Assert.Equal(["-p tcp -m tcp --dport 8000 -j DNAT --to-destination 172.18.0.2:8000", "-j RETURN"], Rules(null, "DOCKER-INGRESS"));
        Assert.Equal(["-p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.18.0.3:80"], Rules(null, "DOCKER"));
    }

    [Fact]
    public void Each_pair_of_IPv4_ranges_has_a_rule_and_IPv6_ones_let_nobody_in_here()
    {
        var access = new PlanPortAccess(1, 65535) { Sources = ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"], Addresses = ["198.51.100.1/32"] };
        Assert.Equal(
            [
                "-s 10.0.0.0/8 -d 198.51.100.1/32 -p tcp -m tcp --dport 8000 -j DNAT --to-destination 172.18.0.2:8000",
                "-s 192.0.2.7/32 -d 198.51.100.1/32 -p tcp -m tcp --dport 8000 -j DNAT --to-destination 172.18.0.2:8000",
                "-j RETURN",
            ],
            Rules(access, "DOCKER-INGRESS"));
        Assert.Equal(2, Rules(access, "DOCKER").Length);
        Assert.All(Rules(access, "DOCKER"), r => Assert.EndsWith("-d 198.51.100.1/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.18.0.3:80", r, StringComparison.Ordinal));

        Assert.Equal(["-j RETURN"], Rules(access with { Sources = ["::/0"] }, "DOCKER-INGRESS"));
        Assert.Empty(Rules(access with { Sources = ["::/0"] }, "DOCKER"));
        Assert.Equal(["-j RETURN"], Rules(new PlanPortAccess(1, 65535) { Nodes = ["n2"] }, "DOCKER-INGRESS"));
        Assert.StartsWith("-p tcp", Rules(access with { Sources = ["0.0.0.0/0"], Addresses = null }, "DOCKER")[0], StringComparison.Ordinal);
    }

    private static ImmutableArray<string> Rules(PlanPortAccess? access, string chain)
    {
        var node = PlanExample.Node();
        var ingress = node.Plan.Networks[PlanExample.Ingress.Id];
        node = node with
        {
            Facts = node.Facts with { Classic = true },
            Plan = node.Plan with
            {
                Networks = node.Plan.Networks.SetItem(
                    PlanExample.Ingress.Id,
                    ingress with { Services = ingress.Services.SetItem("s1", ingress.Services["s1"] with { Access = access is null ? null : [access] }) }),
            },
            Sandboxes = node.Sandboxes.SetItem(PlanExample.Container, node.Sandboxes[PlanExample.Container] with { Access = access is null ? null : [access] }),
        };
        var networks = DesiredState.Networks(node);
        return ClassicHost.Of(node, networks, networks.First(n => n.Network.Ingress)).Iptables.First(c => (c.Table, c.Name) == ("nat", chain)).Rules;
    }
}
