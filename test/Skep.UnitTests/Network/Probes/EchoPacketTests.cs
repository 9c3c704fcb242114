using System.Net.Sockets;
using Skep.Network.Probes;

namespace Skep.UnitTests.Network.Probes;

public sealed class EchoPacketTests
{
    [Fact]
    public void A_request_is_as_ping_sends_it()
    {
        // icmp: type 8, code 0, checksum, identifier 0x1234, sequence number 5
        Assert.Equal("0800E5C612340005", Convert.ToHexString(EchoPacket.Request(AddressFamily.InterNetwork, 0x1234, 5, 8)));
        Assert.Equal("8000000012340005", Convert.ToHexString(EchoPacket.Request(AddressFamily.InterNetworkV6, 0x1234, 5, 8)));
        Assert.Equal(1472, EchoPacket.Request(AddressFamily.InterNetwork, 1, 1, 1472).Length);
    }

    [Fact]
    public void Answers_are_told_from_requests_and_from_everything_else()
    {
        const string header = "4500001c000040004001000005060708090a0b0c";
        Assert.Equal(new EchoPacket.Echo(true, 0x1234, 5), Parse(header + "0000EDC612340005"));
        Assert.Equal(new EchoPacket.Echo(false, 0x1234, 5), Parse(header + "0800E5C612340005"));
        Assert.Null(Parse(header + "0303000012340005"));
        Assert.Null(Parse(header));
        Assert.Null(Parse(""));
        Assert.Equal(new EchoPacket.Echo(true, 0x1234, 5), EchoPacket.Parse(AddressFamily.InterNetworkV6, Convert.FromHexString("8100000012340005")));
    }

    private static EchoPacket.Echo? Parse(string hex) => EchoPacket.Parse(AddressFamily.InterNetwork, Convert.FromHexString(hex));
}
