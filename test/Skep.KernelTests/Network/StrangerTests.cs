using System.Diagnostics;
using Skep.Kernel.Namespaces;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>What others put in the way of what is ours goes within a second, and nothing that was wished is lost by it.</summary>
public sealed class StrangerTests
{
    [Fact]
    public async Task Tables_that_were_put_to_sleep_or_got_strangers_things_are_as_before()
    {
        await using var nodes = await TwoNodes.StartAsync();
        using var demo = nodes.First.Open("2-demoxxxxxx");
        await GoesAsync(demo, "nft add table ip skep-0 '{ flags dormant; }'", "nft list table ip skep-0", "dormant");
        await GoesAsync(demo, "nft add table ip skep '{ flags dormant; }'", "nft list table ip skep", "dormant");
        await GoesAsync(nodes.First.Host, "nft add table ip skep-0 '{ flags dormant; }'", "nft list table ip skep-0", "dormant");
        await GoesAsync(nodes.First.Host, "nft add table ip skep '{ flags dormant; }'", "nft list table ip skep", "dormant");
        foreach (var thing in new[] { "counter ip skep stranger", "quota ip skep stranger '{ over 25 mbytes; }'", "ct helper ip skep stranger '{ type \"ftp\" protocol tcp; }'", "map ip skep stranger '{ type ipv4_addr : counter; }'" })
        {
            await GoesAsync(demo, $"nft add {thing}", "nft list table ip skep", "stranger");
        }

        await AreRightAsync(nodes);
    }

    [Fact]
    public async Task An_address_that_is_there_again_with_another_end_goes_and_the_gateways_own_stays()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var host = nodes.First.Host;
        await GoesAsync(host, "ip addr add 172.18.0.1 peer 10.9.9.9/16 dev docker_gwbridge", "ip addr show docker_gwbridge", "peer");
        // The address may be back before the other one is added.
        await GoesAsync(host, "until ip addr del 172.18.0.1/16 dev docker_gwbridge; ip addr add 172.18.0.1 peer 172.18.9.9/16 dev docker_gwbridge; do :; done", "ip addr show docker_gwbridge", "peer");
        Assert.Contains("172.18.0.1/16", await NamespaceFixture.RunAsync(host, "ip", "addr", "show", "docker_gwbridge"), StringComparison.Ordinal);
        await AreRightAsync(nodes);
    }

    private static async Task AreRightAsync(TwoNodes nodes)
    {
        Assert.StartsWith("web", await nodes.AskAsync(nodes.Caller, "10.0.1.2", 3000), StringComparison.Ordinal);
        Assert.StartsWith("web", await nodes.AskAsync(nodes.Client, "198.18.5.1", 8000), StringComparison.Ordinal);
        var repairs = nodes.First.Network.Repairs.Total;
        await nodes.First.Network.AuditAsync(nodes.Limit);
        Assert.Equal(repairs, nodes.First.Network.Repairs.Total);
        Assert.DoesNotContain(nodes.First.Log.Lines, l => l.Contains("failed", StringComparison.Ordinal));
    }

    /// <summary>After the harm those words are seen, and soon no more.</summary>
    private static async Task GoesAsync(NetworkNamespace ns, string harm, string look, string unwanted)
    {
        await NamespaceFixture.RunAsync(ns, "sh", "-ec", harm);
        await using var stalls = new Stalls();
        var clock = Stopwatch.StartNew();
        var seen = unwanted;
        while (seen.Contains(unwanted, StringComparison.Ordinal))
        {
            Assert.True(clock.Elapsed < 2.5 * stalls.Second, $"after '{harm}' there is:\n{seen}");
            seen = await NamespaceFixture.RunAsync(ns, "sh", "-c", look);
        }
    }
}
