using System.Net;
using Skep.Network.Relays;

namespace Skep.UnitTests.Network.Relays;

/// <summary>Against the layout of haproxy's doc/proxy-protocol.txt, section 2.2, byte by byte.</summary>
public sealed class ProxyHeaderTests
{
    private const string Signature = "0D0A0D0A000D0A515549540A";

    [Theory]
    [InlineData(
        "192.0.2.9:40001", "198.51.100.1:8000",
        // Version 2, PROXY; AF_INET, STREAM; 12 bytes.
        Signature + "21" + "11" + "000C" + "C0000209" + "C6336401" + "9C41" + "1F40")]
    [InlineData(
        "[2001:db8::9]:1", "[fd07::1]:65535",
        // AF_INET6, STREAM; 36 bytes.
        Signature + "21" + "21" + "0024" + "20010DB8000000000000000000000009" + "FD070000000000000000000000000001" + "0001" + "FFFF")]
    [InlineData(
        "192.0.2.9:1", "[fd07::1]:2",
        // Never seen between two ends of one flow; a header has one family all the same.
        Signature + "21" + "21" + "0024" + "00000000000000000000FFFFC0000209" + "FD070000000000000000000000000001" + "0001" + "0002")]
    public void It_tells_who_connected_and_to_what(string client, string dialled, string expected)
    {
        Span<byte> header = stackalloc byte[ProxyHeader.Longest];
        header.Fill(0xEE);
        var length = ProxyHeader.Write(header, IPEndPoint.Parse(client), IPEndPoint.Parse(dialled));
        Assert.Equal(expected, Convert.ToHexString(header[..length]));
        Assert.True(header[length..].IndexOfAnyExcept((byte)0xEE) < 0);
    }
}
