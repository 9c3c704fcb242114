using System.Globalization;
using System.Text.RegularExpressions;
using Skep.ClassicTests.Encryption;

namespace Skep.ClassicTests.Docker;

/// <summary>Where the packets of a published port go on a machine, seen with the walkthroughs' commands: W1, step 7; W3, step 8; W4, steps 7 and 8.</summary>
internal sealed class PortTables(LabMachine lab, Plane plane)
{
    private const string Enter = "nsenter --net=/var/run/docker/netns/ingress_sbox ";

    public Plane Plane => plane;

    /// <param name="backends">The ingress addresses of the tasks; null = whichever.</param>
    public async Task ShowAsync(int node, int port, IReadOnlyCollection<string>? backends = null)
    {
        var addresses = await lab.OnAsync(node, Enter + "ip a");
        var (balancer, gateway) = (AddressOf(addresses, "eth0"), AddressOf(addresses, "eth1"));
        Assert.Contains($@"""ingress-sbox"":{{""Name"":""gateway_ingress-sbox""", await SandboxAsync(node, "docker_gwbridge", gateway), StringComparison.Ordinal);
        Assert.Contains($@"""ingress-sbox"":{{""Name"":""ingress-endpoint""", await SandboxAsync(node, "ingress", balancer), StringComparison.Ordinal);
        if (plane is Plane.Nftables)
        {
            Assert.Matches($@"tcp \. {port}\b", await lab.OnAsync(node, "nft list set ip skep ingress-ports"));
            return;
        }

        Assert.Matches(
            $@"Chain DOCKER-INGRESS [^\n]*\n[^\n]*\n(DNAT [^\n]*\n)*DNAT [^\n]* tcp dpt:{port} to:{Regex.Escape(gateway.Address)}:{port}\n(DNAT [^\n]*\n)*RETURN ",
            await lab.OnAsync(node, "iptables -nL -t nat"));
        Assert.Matches(@"Chain FORWARD [^\n]*\n[^\n]*\nDOCKER-USER [^\n]*\nDOCKER-INGRESS ", await lab.OnAsync(node, "iptables -nL"));
        var mark = Regex.Match(await lab.OnAsync(node, Enter + "iptables -nL -t mangle"), $@" tcp dpt:{port} MARK set 0x([0-9a-f]+)\n").Groups[1].Value;
        Assert.NotEqual("", mark);
        var balanced = await lab.OnAsync(node, Enter + "ipvsadm -ln");
        var number = int.Parse(mark, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var service = Regex.Match(balanced, $@"FWM +{number} rr\n( *-> [^\n]*\n)+").Value;
        var found = Regex.Matches(service, @"-> (10\.0\.0\.\d+):0 +Masq +1 ").Select(match => match.Groups[1].Value).Order().ToList();
        Assert.NotEmpty(found);
        Assert.Equal(backends?.Order() ?? found.AsEnumerable(), found);
        Assert.Matches($@"SNAT [^\n]* ipvs to:{Regex.Escape(balancer.Address)}\n", await lab.OnAsync(node, Enter + "iptables -nL -t nat"));
    }

    private async Task<string> SandboxAsync(int node, string network, (string Mac, string Address) card)
    {
        var containers = await lab.OnAsync(node, $"docker network inspect {network} -f '{{{{json .Containers}}}}'");
        Assert.Matches($@"""ingress-sbox"":{{[^}}]*""{card.Mac}"",""IPv4Address"":""{Regex.Escape(card.Address)}/\d+""", containers);
        return containers;
    }

    /// <summary>The first address of that card, and its MAC.</summary>
    private static (string Mac, string Address) AddressOf(string addresses, string card)
    {
        var match = Regex.Match(addresses, $@"\d+: {card}@[^\n]*\n +link/ether (\S+)[^\n]*\n +inet ([0-9.]+)/");
        Assert.True(match.Success, $"no {card} in\n{addresses}");
        return (match.Groups[1].Value, match.Groups[2].Value);
    }
}
