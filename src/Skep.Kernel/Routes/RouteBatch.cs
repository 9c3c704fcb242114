using Skep.Kernel.Native;
using Skep.Kernel.Netlink;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;

namespace Skep.Kernel.Routes;

/// <summary>
/// Changes to links, addresses, routes, rules, neighbours and forwarding entries, as the bytes that make them.
/// <see cref="RouteNetlink.Batch"/> sends them all with one system call.
/// </summary>
public sealed partial class RouteBatch
{
    private const ushort Create = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
    private const ushort CreateOrReplace = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
    private const ushort Request = NLM_F_REQUEST;

    private static readonly int[] s_alreadyThere = [Errno.EEXIST];
    private static readonly int[] s_alreadyGone = [Errno.ENOENT, Errno.ESRCH, Errno.ENODEV, Errno.EADDRNOTAVAIL];

    private readonly List<Change> _changes = [];

    /// <summary>The messages so far.</summary>
    public ReadOnlySpan<byte> Written => Writer.Written;

    /// <summary>How many changes there are.</summary>
    public int Count => _changes.Count;

    internal NetlinkWriter Writer { get; } = new();

    /// <summary>Whether a refusal of a change only says that it is so already.</summary>
    internal bool IsAlreadySo(NetlinkRefusal refusal) => _changes[refusal.Index].AlreadySo.Contains(refusal.Errno);

    internal BatchFailure Explain(NetlinkRefusal refusal)
    {
        var what = _changes[refusal.Index].What();
        return new BatchFailure(what, NetlinkException.For(refusal.Errno, what, refusal.Explanation));
    }

    // What a change is is put in words when it is refused: a full resync has a hundred thousand of them.
    private NetlinkWriter.MessageToken BeginAdd(ushort type, ushort flags, Func<string> what) => Begin(type, flags, what, s_alreadyThere);

    private NetlinkWriter.MessageToken BeginDelete(ushort type, Func<string> what) => Begin(type, Request, what, s_alreadyGone);

    private NetlinkWriter.MessageToken BeginSet(ushort type, ushort flags, Func<string> what) => Begin(type, flags, what, []);

    private NetlinkWriter.MessageToken Begin(ushort type, ushort flags, Func<string> what, int[] alreadySo)
    {
        _changes.Add(new Change(what, alreadySo));
        return Writer.BeginMessage(type, flags);
    }

    private readonly record struct Change(Func<string> What, int[] AlreadySo);
}
