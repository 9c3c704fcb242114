using System.Net;
using Skep.Daemon;

namespace Skep.UnitTests.Daemon;

public sealed class DaemonOptionsValidatorTests
{
    [Fact]
    public void DefaultsAreValid() => Assert.Empty(DaemonOptionsValidator.Check(new DaemonOptions()));

    public static TheoryData<string, DaemonOptions> Wrong() => new()
    {
        { "data-root is 'x'", new() { DataRoot = "x" } },
        { "run-root is 'x'", new() { RunRoot = "x" } },
        { "run-root is 81 characters long", new() { RunRoot = "/" + new string('r', 80) } },
        { "socket is 121 characters long", new() { Socket = "/" + new string('s', 120) } },
        { "containerd-socket is 'c'", new() { ContainerdSocket = "c" } },
        { "hostname is 'a b'", new() { Hostname = "a b" } },
        { "label is '=v'", new() { Labels = ["=v"] } },
        { "label is 'k'", new() { Labels = ["k"] } },
        { "dns is 'name'", new() { Dns = ["name"] } },
        { "insecure-registry is 'http://x'", new() { InsecureRegistries = ["http://x"] } },
        { "shutdown-timeout is 0", new() { ShutdownTimeout = TimeSpan.Zero } },
        { "its size can be 16 to 30", new() { DefaultAddressPools = [Pool("10.0.0.0/16", 8)] } },
        { "it overlaps '10.0.0.0/8,24'", new() { DefaultAddressPools = [Pool("10.0.0.0/8", 24), Pool("10.1.0.0/16", 24)] } },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void EachRuleNamesTheSettingAndTheValue(string says, DaemonOptions options) =>
        Assert.Contains(says, Assert.Single(DaemonOptionsValidator.Check(options)), StringComparison.Ordinal);

    [Theory]
    [InlineData("registry.local:5000")]
    [InlineData("10.0.0.0/8")]
    [InlineData("::1/128")]
    public void RegistriesAreHostsOrRanges(string registry) =>
        Assert.Empty(DaemonOptionsValidator.Check(new DaemonOptions { InsecureRegistries = [registry] }));

    private static AddressPool Pool(string range, int size) => new(IPNetwork.Parse(range), size);
}
