using System.Globalization;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.Nfnetlink;
using static Skep.Kernel.Netlink.Headers.NfTables;

namespace Skep.Kernel.Nftables;

/// <summary>Follows the changes of a namespace's nftables, so that a change by others can be told from one's own.</summary>
public static class NftMonitor
{
    /// <summary>
    /// One notice for each new generation, from this call on: the socket listens when the method returns. Ends by cancellation
    /// with <see cref="OperationCanceledException"/>.
    /// </summary>
    public static IAsyncEnumerable<NftNotice> FollowAsync(NetworkNamespace ns, CancellationToken cancellationToken) =>
        NetlinkListener.Open(NetlinkProtocol.Netfilter, ns, NFNLGRP_NFTABLES)
            .FollowAsync(Parse, new NftNotice(0, 0, "", false, Overrun: true), cancellationToken);

    private static NftNotice? Parse(NetlinkMessage message)
    {
        if (message.Type != MessageType(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWGEN))
        {
            return null;
        }

        var notice = new NftNotice(0, 0, "", false);
        var attributes = message.AttributesAfter<NfGenMessage>();
        while (attributes.Next(out var attribute))
        {
            notice = attribute.Type switch
            {
                NFTA_GEN_ID => notice with { Generation = attribute.UInt32BigEndian },
                NFTA_GEN_PROC_PID => notice with { ProcessId = (int)attribute.UInt32BigEndian },
                NFTA_GEN_PROC_NAME => notice with { ProcessName = attribute.Text },
                _ => notice,
            };
        }

        return notice with { IsOwn = IsThreadOfThisProcess(notice.ProcessId) };
    }

    // Where this process stands in a PID namespace the numbers differ, and an own change can look like another's: an extra look
    // at the rules, never a missed one as long as the numbers do not meet by chance.
    private static bool IsThreadOfThisProcess(int id) =>
        Directory.Exists($"/proc/self/task/{id.ToString(CultureInfo.InvariantCulture)}");
}
