using Skep.Lab;
using Skep.Model.Errors;

namespace Skep.UnitTests.Lab;

public sealed class LabPlaceTests
{
    [Theory]
    [InlineData("lab")]
    [InlineData("a-2")]
    public void GoodNames(string name) => Assert.Equal($"/var/lib/skep-lab/{name}", new LabPlace(name).Folder);

    // A name becomes a folder that is removed with all that is in it.
    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("Lab")]
    [InlineData("-a")]
    [InlineData("a234567890123456789012345678901")]
    public void BadNamesAreRefused(string name) => Assert.Throws<ClusterException>(() => new LabPlace(name));

    [Fact]
    public void TakenSubnetsAreSkipped()
    {
        var free = LabSwitch.FreeSubnet([]);

        Assert.NotEqual(free, LabSwitch.FreeSubnet([free]));
    }
}
