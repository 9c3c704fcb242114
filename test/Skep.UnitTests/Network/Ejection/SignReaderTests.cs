using System.Net;
using Skep.Network.Ejection;

namespace Skep.UnitTests.Network.Ejection;

/// <summary>Packets as the kernel logs them: IPv4 from 10.0.1.4, port 3000 (0x0bb8), to 10.0.1.5.</summary>
public sealed class SignReaderTests
{
    private const string Four = "45000028 0000 4000 40 06 0000 0a000104 0a000105";
    private static readonly BackendPort s_web = new(IPAddress.Parse("10.0.1.4"), BackendPort.Tcp, 3000);

    [Theory]
    [InlineData("0bb8 c001 12345678 00000001 50 12 0000 0000 0000", true)]
    [InlineData("0bb8 c001 00000000 00000001 50 14 0000 0000 0000", false)]
    public void An_answer_to_a_syn_says_whether_the_port_answers(string tcp, bool answers) =>
        Assert.Equal(new Sign(s_web, answers), SignReader.Read(Bytes(Four + tcp)));

    [Theory]
    [InlineData("0bb8 c001 12345678 00000001 50 14 0000 0000 0000")]
    [InlineData("0bb8 c001 00000000 00000001 50 04 0000 0000 0000")]
    [InlineData("0bb8 c001 12345678 00000001 50 10 0000 0000 0000")]
    [InlineData("0bb8 c001")]
    public void The_end_of_an_open_connection_and_anything_else_is_no_sign(string tcp) => Assert.Null(SignReader.Read(Bytes(Four + tcp)));

    [Fact]
    public void A_port_that_is_unreachable_is_named_by_the_datagram_that_is_quoted()
    {
        var quote = "45000020 0000 4000 40 11 0000 0a000105 0a000104 d001 0035 000c 0000";
        var packet = "45000038 0000 4000 40 01 0000 0a000104 0a000105 03 03 0000 00000000" + quote;
        Assert.Equal(new Sign(new BackendPort(IPAddress.Parse("10.0.1.4"), BackendPort.Udp, 53), false), SignReader.Read(Bytes(packet)));
        Assert.Null(SignReader.Read(Bytes(packet.Replace("03 03 0000", "03 01 0000", StringComparison.Ordinal))));
    }

    [Fact]
    public void IPv6_says_the_same()
    {
        const string header = "60000000 0014 06 40 fd000000000000000000000000000004 fd000000000000000000000000000005";
        var address = IPAddress.Parse("fd00::4");
        Assert.Equal(
            new Sign(new BackendPort(address, BackendPort.Tcp, 3000), false),
            SignReader.Read(Bytes(header + "0bb8 c001 00000000 00000001 50 14 0000 0000 0000")));
        const string quote = "60000000 000c 11 40 fd000000000000000000000000000005 fd000000000000000000000000000004 d001 0035 000c 0000";
        const string unreachable = "60000000 003c 3a 40 fd000000000000000000000000000004 fd000000000000000000000000000005 01 04 0000 00000000" + quote;
        Assert.Equal(new Sign(new BackendPort(address, BackendPort.Udp, 53), false), SignReader.Read(Bytes(unreachable)));
    }

    [Fact]
    public void A_packet_that_is_cut_short_is_no_sign()
    {
        var whole = Bytes(Four + "0bb8 c001 00000000 00000001 50 14 0000 0000 0000");
        for (var length = 0; length < 34; length++)
        {
            Assert.Null(SignReader.Read(whole.AsSpan(0, length)));
        }
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
