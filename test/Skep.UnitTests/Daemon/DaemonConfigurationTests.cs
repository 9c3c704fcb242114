using System.Net;
using Skep.Daemon;
using Skep.Model.Errors;

namespace Skep.UnitTests.Daemon;

public sealed class DaemonConfigurationTests
{
    [Fact]
    public void WithoutAnythingTheDefaultsHold() => Assert.Equal(new DaemonOptions(), Load() with { Labels = new DaemonOptions().Labels });

    [Fact]
    public void FlagsWinOverTheEnvironmentAndThatOverTheFile()
    {
        const string File = """{"socket":"/file.sock","hostname":"from-file","data-root":"/file"}""";

        var options = Load(File, new() { ["SKEP_SOCKET"] = "/env.sock", ["SKEP_HOSTNAME"] = "from-env" }, ("socket", ["/flag.sock"]));

        Assert.Equal("/flag.sock", options.Socket);
        Assert.Equal("from-env", options.Hostname);
        Assert.Equal("/file", options.DataRoot);
    }

    [Fact]
    public void ListsComeFromArraysAndFromWords()
    {
        Assert.Equal(["a=1", "b=2"], Load("""{"label":["a=1","b=2"]}""").Labels);
        Assert.Equal(["a=1", "b=2"], Load(environment: new() { ["SKEP_LABEL"] = "a=1 b=2" }).Labels);
    }

    [Fact]
    public void PoolsAreReadInDockersForm()
    {
        var pool = Assert.Single(Load(flags: ("default-address-pool", ["base=10.20.0.0/16,size=24"])).DefaultAddressPools);

        Assert.Equal(new AddressPool(IPNetwork.Parse("10.20.0.0/16"), 24), pool);
    }

    [Fact]
    public void SocketBalancingIsSwitchedOffAnywhere()
    {
        Assert.True(Load().SocketBalancing);
        Assert.False(Load("""{"socket-balancing":false}""").SocketBalancing);
        Assert.False(Load("""{"socket-balancing":"false"}""").SocketBalancing);
        Assert.False(Load(environment: new() { ["SKEP_SOCKET_BALANCING"] = "false" }).SocketBalancing);
        Assert.Contains(
            "socket-balancing is 'maybe'; it can be true or false.",
            Assert.Throws<ClusterException>(() => Load(flags: ("socket-balancing", ["maybe"]))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void EveryProblemIsToldWithItsSource()
    {
        var refusal = Assert.Throws<ClusterException>(() => Load(
            """{"sockett":"/x","log-level":"loud","label":{}}""",
            new() { ["SKEP_DATA_PLANE"] = "magic" },
            ("dns", ["one.one"]), ("socket", ["relative"])));

        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Equal(
            [
                "daemon.json: sockett is not a setting; see './skep help daemon' for the names.",
                "daemon.json: label must be a list of texts.",
                "SKEP_DATA_PLANE is 'magic'; it can be nftables or classic.",
                "daemon.json: log-level is 'loud'; it can be trace, debug, info, warn, error or none.",
                "socket is 'relative'; it must be an absolute path.",
                "dns is 'one.one'; it is an IP address.",
            ],
            refusal.Message.Split('\n'));
    }

    [Theory]
    [InlineData("[1]", "is not a JSON object")]
    [InlineData("{", "is not JSON")]
    public void AFileThatIsNotAnObjectIsRefused(string text, string says) =>
        Assert.Contains(says, Assert.Throws<ClusterException>(() => Load(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void CommentsAndTrailingCommasAreAllowed() => Assert.Equal("n", Load("{ // mine\n\"hostname\": \"n\", }").Hostname);

    private static DaemonOptions Load(
        string? file = null, Dictionary<string, string>? environment = null, params (string Name, IReadOnlyList<string> Values)[] flags) =>
        DaemonConfiguration.Load(
            file, "daemon.json", name => environment?.GetValueOrDefault(name), flags.ToDictionary(flag => flag.Name, flag => flag.Values));
}
