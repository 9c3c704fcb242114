using Skep.Testing.Kernel;

namespace Skep.ClassicTests.Uml;

/// <summary>The machine itself: what its kernel has, and that what happens inside is heard outside.</summary>
public sealed class UmlMachineTests(UmlMachine machine) : IClassFixture<UmlMachine>
{
    [Fact]
    public async Task TheKernelHasWhatTheOtherTestsNeed()
    {
        await machine.ShellAsync("""
            # A kernel of our own has them built in.
            [ ! -d "/lib/modules/$(uname -r)" ] || for module in ip_vs ip_vs_rr xt_ipvs esp4 esp6 xfrm_user vxlan veth bridge br_netfilter iptable_nat xt_u32 xt_policy; do modprobe "$module"; done
            ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 1 mode transport aead 'rfc4106(gcm(aes))' 0x0102030405060708091011121314151617181920 128
            ip xfrm state flush
            [ -d "/lib/modules/$(uname -r)" ] || nft 'table netdev skep { chain leave { type filter hook egress device lo priority 0; meta mark set numgen inc mod 2; }; }
                table ip skep { chain enter { type filter hook input priority 0; meta ipsec missing fib saddr type local ct state new accept; }; }'
            """);

        Assert.Equal("6.1", (await machine.ShellAsync("uname -r"))[..3]);
    }

    [Fact]
    public async Task AMethodRunsInsideInThisRuntime()
    {
        Assert.StartsWith("6.1.", await machine.RunAsync(KernelReleaseAsync), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NamespacesInsideExchangePackets() => await machine.RunAsync(PingBetweenNamespacesAsync);

    [Fact]
    public async Task AFailureInsideIsOneOutside()
    {
        var failure = await Assert.ThrowsAsync<UmlException>(() => machine.RunAsync(FailAsync));

        Assert.Contains("the inner words", failure.Message, StringComparison.Ordinal);
        Assert.Contains("exit 3", (await Assert.ThrowsAsync<UmlException>(() => machine.ShellAsync("exit 3"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatIsWrittenInsideStaysInside()
    {
        var path = $"/var/tmp/skep-uml-{Guid.NewGuid():N}";

        Assert.Equal("written\n", await machine.ShellAsync($"echo written >{path}; cat {path}"));
        Assert.False(File.Exists(path));
    }

    private static Task<string> KernelReleaseAsync() => File.ReadAllTextAsync("/proc/sys/kernel/osrelease");

    private static async Task PingBetweenNamespacesAsync()
    {
        using var namespaces = new NamespaceFixture("ct");
        var (left, right) = (namespaces.Create("left"), namespaces.Create("right"));
        NamespaceFixture.Join(left, "e0", "198.18.9.1/24", right, "e0", "198.18.9.2/24");

        Assert.Contains(" 0% packet loss", await NamespaceFixture.RunAsync(left, "ping", "-c", "1", "-W", "2", "198.18.9.2"), StringComparison.Ordinal);
    }

    private static Task FailAsync() => throw new InvalidOperationException("the inner words");
}
