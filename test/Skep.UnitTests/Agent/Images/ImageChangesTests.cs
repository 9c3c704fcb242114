using Skep.Agent.Images.Archives;
using Skep.Model.Errors;

namespace Skep.UnitTests.Agent.Images;

public sealed class ImageChangesTests
{
    [Theory]
    [InlineData("CMD [\"a\",\"b c\"]", """{"Cmd":["a","b c"]}""")]
    [InlineData("cmd a b", """{"Cmd":["/bin/sh","-c","a b"]}""")]
    [InlineData("ENTRYPOINT [\"/x\"]", """{"Entrypoint":["/x"]}""")]
    [InlineData("ENV A=1 B=\"two words\" C=x\\ y", """{"Env":["A=1","B=two words","C=x y"]}""")]
    [InlineData("ENV A the rest of it", """{"Env":["A=the rest of it"]}""")]
    [InlineData("EXPOSE 80 53/udp 8000-8001", """{"ExposedPorts":{"80/tcp":{},"53/udp":{},"8000/tcp":{},"8001/tcp":{}}}""")]
    [InlineData("LABEL a=b c='d e'", """{"Labels":{"a":"b","c":"d e"}}""")]
    [InlineData("USER nobody", """{"User":"nobody"}""")]
    [InlineData("VOLUME [\"/a\",\"/b\"]", """{"Volumes":{"/a":{},"/b":{}}}""")]
    [InlineData("WORKDIR /srv", """{"WorkingDir":"/srv"}""")]
    [InlineData("", "{}")]
    public void A_line_changes_the_configuration(string line, string config) =>
        Assert.Equal(config, ImageChanges.Apply([line]).ToJsonString());

    [Fact]
    public void Later_lines_build_on_earlier_ones()
    {
        var config = ImageChanges.Apply(["ENV A=1", "ENV B=2", "ENV A=3", "WORKDIR /a", "WORKDIR b"]);
        Assert.Equal("""{"Env":["B=2","A=3"],"WorkingDir":"/a/b"}""", config.ToJsonString());
    }

    [Theory]
    [InlineData("FROM x", "FROM is not a valid change command")]
    [InlineData("ENV", "ENV requires at least one argument")]
    [InlineData("ENV A", "ENV must have two arguments")]
    [InlineData("EXPOSE 0", "invalid containerPort: 0")]
    [InlineData("EXPOSE 80/xx", "invalid containerPort: 80/xx")]
    public void A_wrong_line_is_refused(string line, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<ClusterException>(() => ImageChanges.Apply([line])).Message);
}
