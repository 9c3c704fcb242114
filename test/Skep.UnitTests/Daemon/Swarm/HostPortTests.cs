using Skep.Daemon.Swarm;
using Skep.Model.Errors;

namespace Skep.UnitTests.Daemon.Swarm;

public sealed class HostPortTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", 2377)]
    [InlineData("192.0.2.1:99", "192.0.2.1", 99)]
    [InlineData(" node1 ", "node1", 2377)]
    [InlineData("node1:65535", "node1", 65535)]
    [InlineData("node1:", "node1", 2377)]
    [InlineData("fd00::1", "fd00::1", 2377)]
    [InlineData("[fd00::1]", "fd00::1", 2377)]
    [InlineData("[fd00::1]:99", "fd00::1", 99)]
    [InlineData("0.0.0.0:2377", "0.0.0.0", 2377)]
    public void An_address_is_read_as_people_write_it(string text, string host, int port) => Assert.Equal((host, port), HostPort.Parse(text, 2377));

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData(":99")]
    [InlineData("node1:0")]
    [InlineData("node1:65536")]
    [InlineData("node1:-1")]
    [InlineData("node1:http")]
    [InlineData("a:b:c")]
    [InlineData("[node1]:99")]
    [InlineData("[fd00::1")]
    [InlineData("two words")]
    public void What_is_no_address_is_refused_with_its_text(string text)
    {
        var refusal = Assert.Throws<ClusterException>(() => HostPort.Parse(text, 2377));
        Assert.Equal((ErrorKind.InvalidArgument, $"invalid address \"{text}\": host:port is expected"), (refusal.Kind, refusal.Message));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1:7")]
    [InlineData("fd00::1", "[fd00::1]:7")]
    public void An_address_is_written_so_that_it_reads_back(string host, string text)
    {
        Assert.Equal(text, HostPort.Format(host, 7));
        Assert.Equal((host, 7), HostPort.Parse(text, 1));
    }
}
