using Skep.Daemon.Http.Infrastructure;
using Skep.Model.Errors;

namespace Skep.UnitTests.Daemon.Http;

public sealed class QueryTests
{
    [Theory]
    [InlineData("1", true)]
    [InlineData("true", true)]
    [InlineData("yes", true)]
    [InlineData("0", false)]
    [InlineData(" No ", false)]
    [InlineData("none", false)]
    [InlineData("FALSE", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Flags(string? text, bool expected) => Assert.Equal(expected, RequestQuery.IsTrue(text));

    [Theory]
    [InlineData("1136073845", "2006-01-01T00:04:05.000000000Z")]
    [InlineData("1136073845.000000001", "2006-01-01T00:04:05.000000000Z")]
    [InlineData("1136073845.5", "2006-01-01T00:04:05.500000000Z")]
    [InlineData("2006-01-02T15:04:05.9999999Z", "2006-01-02T15:04:05.999999900Z")]
    [InlineData("2006-01-02T15:04:05+02:00", "2006-01-02T13:04:05.000000000Z")]
    public void Moments(string text, string expected)
    {
        Assert.True(Timestamps.TryParse(text, out var moment));
        Assert.Equal(expected, Timestamps.NineDigits(moment));
    }

    [Theory]
    [InlineData("99999999999999999")]
    [InlineData("yesterday")]
    [InlineData("1.2.3.4.5")]
    public void No_moments(string text) => Assert.False(Timestamps.TryParse(text, out _));

    [Theory]
    [InlineData("""{"label":{"a=1":true,"b":true},"name":{"x":true,"y":false}}""")]
    [InlineData("""{"label":["a=1","b"],"name":["x"]}""")]
    public void Filters_come_in_two_forms(string text)
    {
        var filters = Filters.Parse(text);
        Assert.Equal(["x"], filters["name"]);
        Assert.True(filters.Labels("label", new Dictionary<string, string> { ["a"] = "1", ["b"] = "" }));
        Assert.False(filters.Labels("label", new Dictionary<string, string> { ["a"] = "1" }));
        Assert.True(filters.Any("absent", _ => false));
    }

    [Theory]
    [InlineData("bogus")]
    [InlineData("[]")]
    [InlineData("""{"a":1}""")]
    public void Filters_that_are_none(string text) => Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ClusterException>(() => Filters.Parse(text)).Kind);

    [Theory]
    [InlineData("/v1.50/info", true, "1.50", "/info")]
    [InlineData("/v1.50", true, "1.50", "/")]
    [InlineData("/volumes/x", false, "0.0", null)]
    [InlineData("/v1.x/info", false, "0.0", null)]
    public void Versions(string path, bool has, string version, string? rest)
    {
        Assert.Equal(has, ApiVersion.TrySplit(path, out var found, out var remaining));
        Assert.Equal(version, found.ToString());
        Assert.Equal(rest, remaining);
    }

    [Theory]
    [InlineData("/images/docker.io/library/nginx:1/json")]
    [InlineData("/images/nginx/json")]
    [InlineData("/images/json")]
    [InlineData("/images/a/b")]
    [InlineData("/distribution/a/b/json")]
    public void Names_with_slashes_come_back(string path) => Assert.Equal(path, SlashedNames.Unfold(SlashedNames.Fold(path)));

    [Fact]
    public void A_name_is_one_segment() => Assert.Equal(4, SlashedNames.Fold("/images/docker.io/library/nginx:1/json").Split('/').Length);
}
