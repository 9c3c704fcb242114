using Skep.Kernel.Nftables;

namespace Skep.UnitTests.Kernel;

/// <summary>Keys as the kernel keeps them: each part padded to four bytes, addresses and ports in network order.</summary>
public sealed class NftBytesTests
{
    [Theory]
    [InlineData("10.0.1.2", "0a000102")]
    [InlineData("10.0.1.2 . 10.0.1.3", "0a0001020a000103")]
    [InlineData("fd00::2", "fd000000000000000000000000000002")]
    [InlineData("tcp . 8000", "060000001f400000")]
    [InlineData("udp . 53 . 10.0.0.3 . 5353", "11000000003500000a00000314e90000")]
    [InlineData("sctp . 1 . fd00::3 . 2", "8400000000010000fd00000000000000000000000000000300020000")]
    public void A_key_is_read_as_nft_writes_it(string key, string bytes) => Assert.Equal(bytes, NftBytes.Parse(key).ToString());

    [Theory]
    [InlineData("icmp . 1")]
    [InlineData("tcp . x")]
    [InlineData("10.0.0.999")]
    [InlineData("fd00::1 . fd00::2 . fd00::3 . fd00::4 . fd00::5")]
    public void What_is_no_key_is_refused(string key) => Assert.Throws<FormatException>(() => NftBytes.Parse(key));
}
