using Skep.Agent.Images.Registry;

namespace Skep.UnitTests.Agent.Images;

public sealed class AuthenticationChallengeTests
{
    [Fact]
    public void A_bearer_challenge_is_read_with_its_quoted_commas()
    {
        var challenge = Assert.Single(AuthenticationChallenge.Parse(
            "Bearer realm=\"https://auth.example/token\",service=\"registry.example\",scope=\"repository:a/b:pull,push\""));
        Assert.True(challenge.IsBearer);
        Assert.Equal("https://auth.example/token", challenge.Get("realm"));
        Assert.Equal("repository:a/b:pull,push", challenge.Get("scope"));
    }

    [Fact]
    public void Several_challenges_in_one_header_are_told_apart()
    {
        var challenges = AuthenticationChallenge.Parse("Negotiate, Basic realm = \"a \\\"b\\\"\", bearer realm=x, Service=y");
        Assert.Equal(["Negotiate", "Basic", "bearer"], challenges.Select(challenge => challenge.Scheme));
        Assert.Equal("a \"b\"", challenges[1].Get("realm"));
        Assert.Equal("y", challenges[2].Get("service"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("=")]
    [InlineData(",,,\"")]
    [InlineData("Bearer realm=\"unclosed")]
    public void What_is_malformed_does_not_throw(string header) => Assert.NotNull(AuthenticationChallenge.Parse(header));
}
