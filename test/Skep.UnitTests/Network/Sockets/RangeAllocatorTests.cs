using Skep.Network.Sockets;

namespace Skep.UnitTests.Network.Sockets;

public sealed class RangeAllocatorTests
{
    [Fact]
    public void Ranges_do_not_overlap_and_end_at_the_capacity()
    {
        var ranges = new RangeAllocator(16);
        Assert.Equal([0, 4, 5, 7], new[] { 3, 1, 2, 8 }.Select(n => ranges.Take(n)).Order());
        Assert.Null(ranges.Take(2));
        Assert.Equal(15, ranges.Take(1));
        Assert.Null(ranges.Take(0));
    }

    [Fact]
    public void What_is_given_back_comes_again_only_when_nobody_reads_it()
    {
        var ranges = new RangeAllocator(4);
        Assert.Equal(0, ranges.Take(3));
        ranges.Retire(0, 3);
        Assert.Null(ranges.Take(4));
        Assert.True(ranges.HasRetired);
        ranges.Recycle();
        Assert.False(ranges.HasRetired);
        Assert.Equal(0, ranges.Take(4));
    }
}
