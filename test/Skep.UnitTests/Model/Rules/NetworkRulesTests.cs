using Skep.Model.Rules;
using Skep.Model.Specs;

namespace Skep.UnitTests.Model.Rules;

public sealed class NetworkRulesTests
{
    [Theory]
    [InlineData("abc", "option com.docker.network.driver.mtu is \"abc\"; allowed: bytes from 68 to 65535")]
    [InlineData("0", "option com.docker.network.driver.mtu is \"0\"; allowed: bytes from 68 to 65535")]
    [InlineData("-1", "option com.docker.network.driver.mtu is \"-1\"; allowed: bytes from 68 to 65535")]
    [InlineData("60", "option com.docker.network.driver.mtu is \"60\"; allowed: bytes from 68 to 65535")]
    [InlineData("65536", "option com.docker.network.driver.mtu is \"65536\"; allowed: bytes from 68 to 65535")]
    [InlineData("1279", "option com.docker.network.driver.mtu is \"1279\"; a network of IPv6 needs 1280 at least")]
    public void An_mtu_that_no_link_can_have_is_refused(string text, string sentence)
    {
        var spec = Overlay("net") with { EnableIPv6 = true, DriverConfiguration = new Driver { Name = "overlay", Options = new Dictionary<string, string> { [MtuRules.Option] = text } } };

        Assert.Equal(sentence, Assert.Single(NetworkRules.Check(spec)).Text);
    }

    [Theory]
    [InlineData("68", false)]
    [InlineData("1280", true)]
    [InlineData("65535", true)]
    public void An_mtu_that_links_can_have_is_taken(string text, bool ipv6)
    {
        var spec = Overlay("net") with { EnableIPv6 = ipv6, DriverConfiguration = new Driver { Name = "overlay", Options = new Dictionary<string, string> { [MtuRules.Option] = text } } };

        Assert.Empty(NetworkRules.Check(spec));
        Assert.Equal(int.Parse(text, System.Globalization.CultureInfo.InvariantCulture), MtuRules.Of(spec));
    }

    [Fact]
    public void The_ingress_network_has_one_subnet_of_each_family()
    {
        var ingress = Overlay("ingress", "10.1.0.0/24", "fd00:1::/64") with { Ingress = true, EnableIPv6 = true };
        Assert.Empty(NetworkRules.Check(ingress));
        Assert.Empty(NetworkRules.Check(Overlay("net", "10.1.0.0/24", "10.2.0.0/24")));

        Assert.Equal(
            "ipam configuration: the ingress network has one subnet of each family, not 10.1.0.0/24 and 10.2.0.0/24",
            Assert.Single(NetworkRules.Check(Overlay("ingress", "10.1.0.0/24", "10.2.0.0/24") with { Ingress = true })).Text);
    }

    private static NetworkSpec Overlay(string name, params string[] subnets) => new()
    {
        Name = name,
        IPAMOptions = new IpamOptions { Configs = [.. subnets.Select(s => new IpamConfig { Subnet = s })] },
    };
}
