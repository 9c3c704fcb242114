using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using static Skep.Kernel.Netlink.Headers.Xfrm;

namespace Skep.Kernel.Xfrm;

/// <summary>A state or a policy has changed. PortId is the socket through which it was done; 0 = the kernel, or notices were lost.</summary>
public sealed record XfrmNotice(uint PortId);

/// <summary>Follows the changes of a namespace's IPsec states and policies.</summary>
public static class XfrmMonitor
{
    /// <summary>
    /// One notice for each change, from this call on: the socket listens when the method returns. Ends by cancellation with
    /// <see cref="OperationCanceledException"/>.
    /// </summary>
    /// <exception cref="NetlinkException">The kernel has no XFRM.</exception>
    public static IAsyncEnumerable<XfrmNotice> FollowAsync(NetworkNamespace ns, CancellationToken cancellationToken) =>
        NetlinkListener.Open(NetlinkProtocol.Xfrm, ns, XFRMNLGRP_EXPIRE, XFRMNLGRP_SA, XFRMNLGRP_POLICY)
            .FollowAsync(message => new XfrmNotice(message.PortId), new XfrmNotice(0), cancellationToken);
}
