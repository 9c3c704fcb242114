using Skep.Daemon.Swarm;
using Skep.Model.Errors;

namespace Skep.UnitTests.Daemon.Swarm;

public sealed class AdvertiseAddressTests
{
    [Theory]
    [InlineData("192.0.2.7", "0.0.0.0:2377", "192.0.2.7")]
    [InlineData("192.0.2.7:99", "0.0.0.0:2377", "192.0.2.7")]
    [InlineData("", "192.0.2.8:2377", "192.0.2.8")]
    [InlineData("fd00::7", "0.0.0.0", "fd00::7")]
    public void What_is_named_is_taken(string wish, string listen, string expected) => Assert.Equal(expected, AdvertiseAddress.Choose(wish, listen));

    [Fact]
    public void An_interface_that_is_not_there_is_named_in_the_refusal()
    {
        var refusal = Assert.Throws<ClusterException>(() => AdvertiseAddress.Choose("nothere0", "0.0.0.0:2377"));
        Assert.Equal("no such interface or address: nothere0", refusal.Message);
        Assert.Equal("interface lo has no address", Assert.Throws<ClusterException>(() => AdvertiseAddress.Resolve("lo")).Message);
    }

    [Fact]
    public void Towards_this_machine_its_own_address_is_seen() => Assert.Equal("127.0.0.1", AdvertiseAddress.Towards("127.0.0.1", 9));
}
