using Skep.Model.Errors;
using Skep.Model.Rules;

namespace Skep.UnitTests.Model.Rules;

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:5b2896de5d18e5a2f7ddd7c737c826fc33a9389fd237575215f6fb89d9d55881";

    [Theory]
    [InlineData("nginx", "docker.io/library/nginx:latest", "nginx:latest")]
    [InlineData("nginx:1.27", "docker.io/library/nginx:1.27", "nginx:1.27")]
    [InlineData("me/app", "docker.io/me/app:latest", "me/app:latest")]
    [InlineData("docker.io/library/nginx:x", "docker.io/library/nginx:x", "nginx:x")]
    [InlineData("docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest")]
    [InlineData("index.docker.io/me/app", "docker.io/me/app:latest", "me/app:latest")]
    [InlineData("localhost/app", "localhost/app:latest", "localhost/app:latest")]
    [InlineData("localhost:5000/app:v1", "localhost:5000/app:v1", "localhost:5000/app:v1")]
    [InlineData("127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c:latest", "127.0.0.1:5000/a/b/c:latest")]
    [InlineData("[::1]:5000/app", "[::1]:5000/app:latest", "[::1]:5000/app:latest")]
    [InlineData("nginx@" + Digest, "docker.io/library/nginx@" + Digest, "nginx@" + Digest)]
    [InlineData("nginx:1@" + Digest, "docker.io/library/nginx:1@" + Digest, "nginx:1@" + Digest)]
    [InlineData("a__b/c.d-e--f", "docker.io/a__b/c.d-e--f:latest", "a__b/c.d-e--f:latest")]
    public void A_name_is_made_whole(string text, string canonical, string familiar)
    {
        var reference = ImageReference.Parse(text);
        Assert.Equal(canonical, reference.Canonical);
        Assert.Equal(familiar, reference.Familiar);
        Assert.Equal(reference, ImageReference.Parse(reference.Canonical));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":tag")]
    [InlineData("a:")]
    [InlineData("a b")]
    [InlineData("a//b")]
    [InlineData("-a")]
    [InlineData("a@sha256:abc")]
    [InlineData("a@" + Digest + "0")]
    [InlineData("nginx:1\n")]
    [InlineData("http://host/app")]
    public void A_malformed_name_is_refused(string text)
    {
        var refusal = Assert.Throws<ClusterException>(() => ImageReference.Parse(text));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Equal("invalid reference format", refusal.Message);
    }

    [Fact]
    public void Upper_case_and_bare_ids_are_refused_in_dockers_words()
    {
        Assert.Equal(
            "invalid reference format: repository name (library/Nginx) must be lowercase",
            Assert.Throws<ClusterException>(() => ImageReference.Parse("Nginx")).Message);
        var id = Digest["sha256:".Length..];
        Assert.Equal(
            $"invalid repository name ({id}), cannot specify 64-byte hexadecimal strings",
            Assert.Throws<ClusterException>(() => ImageReference.Parse(id)).Message);
    }

    [Fact]
    public void No_tag_is_added_to_a_bare_name()
    {
        Assert.Null(ImageReference.ParseBare("nginx").Tag);
        Assert.Equal("nginx", ImageReference.ParseBare("nginx").Familiar);
        Assert.Null(ImageReference.Parse("nginx@" + Digest).Tag);
    }
}
