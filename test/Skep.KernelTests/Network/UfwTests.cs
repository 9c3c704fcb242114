using Skep.Network.Desired;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>The real ufw beside our rules, in the namespace of a test's machine and with files of its own: on, reloaded, told what to let through, off.</summary>
public sealed class UfwTests
{
    private static readonly PathKind[] s_all = [PathKind.Published, PathKind.HostMode, PathKind.WayOut];

    [Fact]
    public async Task What_ufw_cuts_off_is_named_and_the_named_commands_bring_it_back_for_good()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/ufw"), "ufw is not installed; ./skep test installs it");
        await using var nodes = await TwoNodes.StartAsync();
        nodes.Serve(nodes.Client, "outside", 9000);
        await WorksAsync(nodes);
        nodes.First.Log.Clear();

        // Denies what comes in and what is routed, by default.
        await UfwAsync(nodes, "ufw --force enable");
        await nodes.First.Network.BlockedPaths.WaitAsync(b => b.SequenceEqual(s_all.Select(kind => new BlockedPath("ip filter", "FORWARD", kind) { Ufw = true })), nodes.Limit);
        await Assert.ThrowsAnyAsync<Exception>(() => nodes.AskAsync(nodes.Client, "198.18.5.1", 8000));
        await Assert.ThrowsAnyAsync<Exception>(() => nodes.AskAsync(nodes.Caller, "198.18.5.9", 9000));
        await nodes.First.Network.Findings.WaitAsync(f => f.Any(s => s.Contains("open UDP 4789", StringComparison.Ordinal)), nodes.Limit);

        // As they are printed, and the port that the findings name.
        await UfwAsync(nodes, "ufw allow 4789/udp");
        foreach (var path in nodes.First.Network.DescribeBlocked())
        {
            await UfwAsync(nodes, path.Remedy);
        }

        await nodes.First.Network.BlockedPaths.WaitAsync(b => b.Count == 0, nodes.Limit);
        await nodes.First.Network.Findings.WaitAsync(f => f.IsEmpty, nodes.Limit);
        await WorksAsync(nodes);
        foreach (var command in new[] { "ufw reload", "ufw --force disable && ufw --force enable", "ufw --force disable" })
        {
            await UfwAsync(nodes, command);
            await WorksAsync(nodes);
        }

        // Neither had to put anything right of what the other did.
        Assert.Empty(nodes.First.Log.Repairs);
    }

    private static async Task WorksAsync(TwoNodes nodes)
    {
        Assert.Equal(["web1", "web2"], (await BalancePolicyTests.AskAsync(nodes, nodes.Client, "198.18.5.1", 8000, 2)).Order());
        Assert.Equal(["web1", "web2"], (await BalancePolicyTests.AskAsync(nodes, nodes.Caller, "10.0.1.2", 3000, 2)).Order());
        Assert.Equal("outside 198.18.5.1", await nodes.AskAsync(nodes.Caller, "198.18.5.9", 9000));
    }

    // ufw keeps its settings in files, which must not be those of the machine that the tests run on.
    private static Task<string> UfwAsync(TwoNodes nodes, string command) => NamespaceFixture.RunAsync(
        nodes.First.Host, "unshare", "--mount", "sh", "-ec",
        """
        own=$0/ufw
        [ -d "$own" ] || { cp -a /etc/ufw "$own"; cp -a /etc/default/ufw "$own.default"; }
        mount --bind "$own" /etc/ufw
        mount --bind "$own.default" /etc/default/ufw
        mount -t tmpfs tmpfs /run
        export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
        eval "$1"
        """,
        nodes.First.Folder, command);
}
