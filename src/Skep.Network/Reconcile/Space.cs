using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Conntrack;
using Skep.Kernel.Namespaces;
using Skep.Kernel.NfLog;
using Skep.Kernel.Nftables;
using Skep.Kernel.Routes;
using Skep.Kernel.Xfrm;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>One namespace that is kept: its sockets, what was applied to it last and what others have touched since.</summary>
internal sealed class Space : IDisposable
{
    private readonly CancellationTokenSource _closed = new();
    private readonly Action _noticed;
    private readonly Lazy<NftNetlink> _rules;
    private readonly Lazy<ConntrackTable> _flows;
    private readonly Lazy<XfrmTable> _xfrm;
    private readonly Lazy<ulong> _cookie;
    private readonly ConcurrentQueue<RouteNotice.FdbNotice> _entries = new();
    private Lazy<ShareBook>? _book;
    private bool _putOff;
    private int _touched = (int)SpaceParts.All;

    public Space(string name, NetworkNamespace ns, Action noticed, Action<string, LoggedPacket> told, ILogger logger)
    {
        (Name, Namespace, _noticed) = (name, ns, noticed);
        Routes = RouteNetlink.Open(ns);
        Nftables = new Nftables(ns);
        _rules = new Lazy<NftNetlink>(() => NftNetlink.Open(ns));
        _flows = new Lazy<ConntrackTable>(() => ConntrackTable.Open(ns));
        _xfrm = new Lazy<XfrmTable>(() => XfrmTable.Open(ns));
        _cookie = new Lazy<ulong>(ns.Cookie);
        Following = SpaceMonitor.FollowAsync(this, told, logger, _closed.Token);
    }

    public string Name { get; }
    public NetworkNamespace Namespace { get; }
    public RouteNetlink Routes { get; }

    /// <summary>The number by which socket programs know it.</summary>
    public ulong Cookie => _cookie.Value;

    public Nftables Nftables { get; }

    /// <summary>The same packet rules by the kernel's own messages.</summary>
    public NftNetlink Rules => _rules.Value;

    /// <summary>
    /// The tracked flows. Kept open: to close a netfilter socket waits until the kernel has freed what rules were deleted last (nft_rcv_nl_event),
    /// which is a grace period of RCU, tens of milliseconds on a machine at work.
    /// </summary>
    public ConntrackTable Flows => _flows.Value;

    /// <summary>What balances here, by family.</summary>
    public Dictionary<string, Balancer> Balancers { get; } = new(StringComparer.Ordinal);

    /// <exception cref="Skep.Kernel.Netlink.NetlinkException">The kernel has no IPsec.</exception>
    public XfrmTable Xfrm => _xfrm.Value;

    /// <summary>There may be IPsec states and policies of ours. An earlier daemon may have left some.</summary>
    public bool KeepsEsp { get; set; } = true;

    /// <summary>The port whose clear text the kernel was seen to refuse; 0 = none.</summary>
    public ushort RefusesClearText { get; set; }

    /// <summary>The IPsec states that it was given.</summary>
    public EspBook EspStates { get; } = new();

    /// <summary>States to send with were lost: new keys are needed.</summary>
    public bool LostSequences { get; set; }

    /// <summary>Whether a notice of an IPsec change is one of our own change.</summary>
    public bool IsOwnXfrm(uint portId) => _xfrm.IsValueCreated && _xfrm.Value.PortId == portId;

    /// <summary>The wish that it held after its last good pass; null before.</summary>
    public WantedParts? AppliedParts { get; private set; }

    /// <summary>The same as a whole.</summary>
    public WantedSpace? Applied => AppliedParts?.Merged();

    /// <summary>What its shares want together; null before the first good pass.</summary>
    public ShareBook? Book => _book?.Value;

    /// <summary>The numbers of the links that the wish speaks of, by name.</summary>
    public IReadOnlyDictionary<string, int>? Indexes { get; set; }

    /// <summary>Whether anything must be read back.</summary>
    public bool IsTouched => Volatile.Read(ref _touched) != 0;

    /// <summary>A link was put into it: settings that are given once are due.</summary>
    public bool Fresh { get; set; }

    /// <summary>The names of links that we made or wanted to make.</summary>
    public HashSet<string> Made { get; } = new(StringComparer.Ordinal);

    /// <summary>How nft prints rules that it does not print as they are written, by chain.</summary>
    public Dictionary<string, (string Wanted, string Printed)> Printed { get; } = new(StringComparer.Ordinal);

    /// <summary>Ends when the space is closed.</summary>
    public Task Following { get; }

    /// <summary>It holds this now.</summary>
    /// <param name="parts">The wish.</param>
    /// <param name="byShares">Only shares were changed, and the book knows of them.</param>
    public void Holds(WantedParts parts, bool byShares)
    {
        if (!byShares && !(ReferenceEquals(parts, AppliedParts) && _book is not null))
        {
            // Nobody needs it before the next change, so it is made beside whatever comes first.
            var book = _book = new Lazy<ShareBook>(() => new ShareBook(parts));
            _ = Task.Run(() => book.Value);
        }

        AppliedParts = parts;
    }

    /// <summary>Nobody knows what it holds.</summary>
    public void Unknown()
    {
        Touch(SpaceParts.All);
        (AppliedParts, _book, Indexes) = (null, null, null);
    }

    /// <summary>What must be read back, and forgets it.</summary>
    public SpaceParts TakeTouched() => (SpaceParts)Interlocked.Exchange(ref _touched, 0);

    /// <summary>Marks parts to be read back by the next pass, without asking for one.</summary>
    public void Touch(SpaceParts parts) => Interlocked.Or(ref _touched, (int)parts);

    /// <summary>Somebody changed something.</summary>
    public void Notice(SpaceParts parts)
    {
        Touch(parts);
        _noticed();
    }

    /// <summary>Changes links, addresses, routes and neighbours; what is so already is no failure, and any other refusal is one.</summary>
    public void Change(Action<RouteBatch> fill)
    {
        if (Routes.Batch(fill) is [var first, ..] failures)
        {
            throw new IOException($"{failures.Count} changes were refused; the first: {first.Change}", first.Error);
        }
    }

    /// <summary>
    /// Somebody changed where a MAC lives. The kernel does not tell who it was (br_fdb_notify, vxlan_fdb_notify give no port), so the next pass weighs it.
    /// </summary>
    public void Notice(RouteNotice.FdbNotice entry)
    {
        _entries.Enqueue(entry);
        _noticed();
    }

    /// <summary>Forwarding entries that now are as they are wished were our own change; any other is looked at.</summary>
    public void Weigh()
    {
        if (_entries.IsEmpty)
        {
            return;
        }

        var names = (Indexes ?? new Dictionary<string, int>()).ToDictionary(l => l.Value, l => l.Key);
        while (_entries.TryDequeue(out var notice))
        {
            if (!IsWished(notice, names))
            {
                Touch(SpaceParts.Routing);
                _entries.Clear();
            }
        }
    }

    /// <summary>Once, after a change: what was touched meanwhile may wait for the pass that was asked for with it.</summary>
    public bool TryPutOff()
    {
        _putOff = !_putOff && Volatile.Read(ref _touched) == (int)SpaceParts.Routing;
        if (_putOff)
        {
            _noticed();
        }

        return _putOff;
    }

    private bool IsWished(RouteNotice.FdbNotice notice, Dictionary<int, string> names)
    {
        var entry = notice.Entry;
        if (!NeighbourStep.IsKept(entry))
        {
            return true;
        }

        if (Book is not { } book || !names.TryGetValue(entry.LinkIndex, out var link))
        {
            return false;
        }

        var wished = book.Forwarding.TryGet((link, entry.Mac, entry.Self), out var vtep);
        return notice.Removed ? !wished : wished && !entry.Deviates && Equals(vtep, entry.Vtep);
    }

    public void Dispose()
    {
        _closed.Cancel();
        Routes.Dispose();
        if (_rules.IsValueCreated)
        {
            _rules.Value.Dispose();
        }

        if (_flows.IsValueCreated)
        {
            _flows.Value.Dispose();
        }

        if (_xfrm.IsValueCreated)
        {
            _xfrm.Value.Dispose();
        }

        Namespace.Dispose();
        _closed.Dispose();
    }
}
