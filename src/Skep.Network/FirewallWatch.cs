using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Nftables;
using Skep.Model.Flow;
using Skep.Network.Desired;

namespace Skep.Network;

/// <summary>Looks at others' packet rules in the host's namespace for what cuts ours off, and says it once, with a remedy.</summary>
/// <param name="host">The host's namespace.</param>
/// <param name="six">The gateway bridge has IPv6; without it rules for IPv6 alone are nothing to us.</param>
/// <param name="options">How often.</param>
/// <param name="logger">Where it is said.</param>
internal sealed class FirewallWatch(NetworkNamespace host, Func<bool> six, NodeNetworkOptions options, ILogger logger) : IDisposable
{
    private static readonly TimeSpan s_doubt = TimeSpan.FromSeconds(1);

    private readonly NftNetlink _rules = NftNetlink.Open(host);
    private readonly Nftables _nftables = new(host);

    /// <summary>What is cut off now.</summary>
    public Watched<IReadOnlyList<BlockedPath>> Blocked { get; } = new([], (next, now) => !next.SequenceEqual(now));

    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(options.FirewallPeriod, options.Clock);
        do
        {
            try
            {
                await LookAsync(stopping);
            }
            catch (NftException changed)
            {
                // A table that went away while it was read; the next look sees what is there then.
                logger.FirewallUnread(changed.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    public void Dispose()
    {
        _rules.Dispose();
    }

    private async Task LookAsync(CancellationToken stopping)
    {
        var (before, now) = (Blocked.Value, Read());
        if (now.Except(before).Any())
        {
            // Firewalls load their rules in steps. What is closed only between two of them is not worth a word.
            await Task.Delay(s_doubt, options.Clock, stopping);
            now = [.. now.Intersect(Read())];
        }

        if (!Blocked.TryPublish(now))
        {
            return;
        }

        foreach (var path in now.Except(before))
        {
            logger.PathBlocked(path.Table, path.Chain, path.What, path.Remedy);
        }

        foreach (var path in before.Except(now))
        {
            logger.PathOpen(path.Table, path.Chain, path.Kind);
        }
    }

    private List<BlockedPath> Read() =>
    [
        .. from family in (NftFamily[])(six() ? [NftFamily.Ip, NftFamily.Ip6, NftFamily.Inet] : [NftFamily.Ip, NftFamily.Inet])
           from name in _rules.Tables(family).Select(t => t.Table.Name)
           where name != WantedTable.Ours && !name.StartsWith(WantedTable.Ours + "-", StringComparison.Ordinal)
           let listing = _nftables.ListTable(family, name)
           where listing is not null
           from path in ForeignFirewall.Of(listing, $"{Word(family)} {name}", options.Classic)
           select path,
    ];

    private static string Word(NftFamily family) => family.ToString().ToLowerInvariant();
}
