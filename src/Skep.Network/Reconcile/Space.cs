using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Nftables;
using Skep.Kernel.Routes;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>One namespace that is kept: its sockets, what was applied to it last and what others have touched since.</summary>
internal sealed class Space : IDisposable
{
    private readonly CancellationTokenSource _closed = new();
    private readonly Action _noticed;
    private readonly Lazy<Nftables> _nftables;
    private int _touched = (int)SpaceParts.All;

    public Space(string name, NetworkNamespace ns, Action noticed, ILogger logger)
    {
        (Name, Namespace, _noticed) = (name, ns, noticed);
        Routes = RouteNetlink.Open(ns);
        _nftables = new Lazy<Nftables>(() => new Nftables(ns));
        Following = SpaceMonitor.FollowAsync(this, logger, _closed.Token);
    }

    public string Name { get; }
    public NetworkNamespace Namespace { get; }
    public RouteNetlink Routes { get; }
    public Nftables Nftables => _nftables.Value;

    /// <summary>The wish that it held after its last good pass; null before.</summary>
    public WantedSpace? Applied { get; set; }

    /// <summary>The text of <see cref="Applied"/>.</summary>
    public string AppliedText { get; set; } = "";

    /// <summary>A link was put into it: settings that are given once are due.</summary>
    public bool Fresh { get; set; }

    /// <summary>The names of links that we made or wanted to make.</summary>
    public HashSet<string> Made { get; } = new(StringComparer.Ordinal);

    /// <summary>How nft prints rules that it does not print as they are written, by chain.</summary>
    public Dictionary<string, (string Wanted, string Printed)> Printed { get; } = new(StringComparer.Ordinal);

    /// <summary>Ends when the space is closed.</summary>
    public Task Following { get; }

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

    public void Dispose()
    {
        _closed.Cancel();
        Routes.Dispose();
        if (_nftables.IsValueCreated)
        {
            _nftables.Value.Dispose();
        }

        Namespace.Dispose();
        _closed.Dispose();
    }
}
