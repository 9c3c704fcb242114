using System.Buffers.Binary;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;

namespace Skep.UnitTests.Kernel;

public sealed class NetlinkTests
{
    [Fact]
    public void A_nested_scope_gets_its_length_when_it_ends()
    {
        // ip link add … type vxlan  ->  IFLA_LINKINFO { IFLA_INFO_KIND "vxlan" }
        var writer = new NetlinkWriter();
        var info = writer.BeginNested(18);
        writer.Attribute(1, "vxlan"u8);
        writer.EndNested(info);
        Golden.Check("1000 1200 | 0900 0100 76786C616E 000000", writer.Written);
    }

    [Fact]
    public void What_is_written_is_read_back_past_the_first_buffer()
    {
        var writer = new NetlinkWriter();
        for (uint i = 0; i < 500; i++)
        {
            var message = writer.BeginMessage(30, 1);
            writer.Header(default(NeighbourMessage));
            writer.Attribute(1, i);
            writer.Attribute(2, "text");
            writer.AttributeBigEndian(3, (ushort)4789);
            writer.EndMessage(message);
        }

        var reader = new NetlinkReader(writer.Written);
        uint count = 0;
        while (reader.Next(out var message))
        {
            Assert.Equal(count++, message.AttributesAfter<NeighbourMessage>().Find(1).UInt32);
            Assert.Equal("text", message.AttributesAfter<NeighbourMessage>().Find(2).Text);
            Assert.Equal(4789, message.AttributesAfter<NeighbourMessage>().Find(3).UInt16BigEndian);
        }

        Assert.Equal(500u, count);
        Assert.Equal(500, writer.Count);
    }

    [Theory]
    [InlineData("14000000 0200 0000 00000000")] // Cut off in its header.
    [InlineData("FF000000 0200 0000 00000000 00000000 00000000")] // Longer than the datagram.
    [InlineData("04000000 0200 0000 00000000 00000000")] // Shorter than its own header.
    public void A_message_that_does_not_fit_ends_the_walk(string hex)
    {
        var reader = new NetlinkReader(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        Assert.False(reader.Next(out _));
    }

    [Theory]
    [InlineData("0300 0100 00000000")]
    [InlineData("0900 0100 00000000")]
    [InlineData("0000 0000")]
    public void An_attribute_that_does_not_fit_ends_the_walk(string hex)
    {
        var reader = new AttributeReader(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        Assert.False(reader.Next(out _));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_refusal_carries_the_kernels_explanation_behind_a_request_that_is_capped_or_whole(bool capped)
    {
        var writer = new NetlinkWriter();
        var flags = (ushort)(NetlinkHeader.NLM_F_ACK_TLVS | (capped ? NetlinkHeader.NLM_F_CAPPED : 0));
        var answer = writer.BeginMessage(NetlinkHeader.NLMSG_ERROR, flags);
        writer.Header(-22);
        var request = writer.BeginMessage(16, 1);
        if (!capped)
        {
            writer.Attribute(3, "a name");
        }

        writer.EndMessage(request);
        writer.Attribute(NetlinkHeader.NLMSGERR_ATTR_MSG, "not like this\0");
        writer.EndMessage(answer);
        var reader = new NetlinkReader(writer.Written);
        Assert.True(reader.Next(out var message));
        Assert.Equal((22, "not like this"), NetlinkAnswer.Outcome(message));
    }

    [Fact]
    public void An_acknowledgement_is_no_refusal()
    {
        var bytes = new byte[36];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
        bytes[4] = (byte)NetlinkHeader.NLMSG_ERROR;
        var reader = new NetlinkReader(bytes);
        Assert.True(reader.Next(out var message));
        Assert.Equal((0, null), NetlinkAnswer.Outcome(message));
    }
}
