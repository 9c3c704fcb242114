namespace Skep.UnitTests;

public sealed class SmokeTests
{
    [Fact]
    public void Runs() => Assert.True(true);
}
