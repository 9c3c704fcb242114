using Skep.Network.Probes;

namespace Skep.UnitTests.Network.Probes;

public sealed class PathMtuSearchTests
{
    [Theory]
    [InlineData(1500, 1500, 1)]
    [InlineData(9000, 9000, 1)]
    [InlineData(9000, 1500, 15)]
    [InlineData(1500, 1400, 12)]
    [InlineData(1500, 1280, 12)]
    [InlineData(9000, 8951, 15)]
    [InlineData(1500, 576, 12)]
    [InlineData(1400, 1399, 12)]
    public void The_largest_size_that_passes_is_found_with_few_questions(int link, int path, int most)
    {
        var search = new PathMtuSearch(576, link);
        var questions = 0;
        while (search.Next is { } size)
        {
            Assert.InRange(size, 577, link);
            search.Tried(size, size <= path);
            questions++;
        }

        Assert.Equal(path, search.Found);
        Assert.InRange(questions, 1, most);
    }
}
