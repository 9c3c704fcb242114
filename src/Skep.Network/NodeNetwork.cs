using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Model.Errors;
using Skep.Model.Flow;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Network.Desired;
using Skep.Network.Dns;
using Skep.Network.Ejection;
using Skep.Network.Local;
using Skep.Network.Probes;
using Skep.Network.Reconcile;
using Skep.Network.Relays;
using Skep.Network.Sockets;

namespace Skep.Network;

/// <summary>
/// The node's data plane in nftables, bridges and VXLAN. Wishes (a plan, a sandbox) are noted at once; <see cref="RunAsync"/>
/// brings the kernel to them, pass by pass, and repairs what others change.
/// </summary>
public sealed class NodeNetwork : INodeNetwork, IDisposable
{
    private readonly NodeNetworkOptions _options;
    private readonly INameServer _names;
    private readonly ILogger<NodeNetwork> _logger;
    private readonly NetworkNamespace _host;
    private readonly HostPortReservations _ports;
    private readonly PublishedPorts _publishedPorts;
    private readonly HostPrefixes _prefixes;
    private readonly FirewallWatch _firewalls;
    private readonly Ejector _ejector;
    private readonly PeerProber _prober;
    private readonly SilenceMemory _silence;
    private readonly CipherGeneration _cipher;
    private readonly StateKeeper _kept;
    private readonly NodeWishes _wishes;
    private readonly KernelKeeper _kernel;
    private readonly PassLoop _passes;
    private readonly NodeFindings _findings;
    private readonly CancellationTokenSource _life = new();

    public NodeNetwork(NodeNetworkOptions options, INameServer names, ILogger<NodeNetwork> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _names, _logger) = (options, names, logger);
        _host = options.Open(WantedSpace.Host);
        Repairs = new RepairJournal(options.Clock);
        _ports = new HostPortReservations(_host);
        _publishedPorts = new PublishedPorts(_host, options, logger);
        _prefixes = new HostPrefixes(_host);
        _firewalls = new FirewallWatch(_host, () => View().Facts.GatewaySubnet6 is not null, options, logger);
        _cipher = new CipherGeneration(_host, options.Vtep);
        _kept = new StateKeeper(options, Prepare, logger);
        _ejector = new Ejector(options, View, learn => _findings!.LearnAsync(learn), logger);
        _silence = new SilenceMemory(options.StateFolder);
        var signals = PassLoop.NewSignals(options.Clock);
        _wishes = new NodeWishes(options, HostFacts.Of(_host, options), _kept, signals.Signal) { AccessChanged = MovePorts };
        _wishes.Learn(_ => Remembered());
        _kernel = new KernelKeeper(
            options,
            new Reconciler(options, signals.Signal, _ejector.Told, Repairs, logger),
            new SocketBalancer(options, _host.Cookie, Repairs, logger),
            _wishes.Computed,
            logger);
        _passes = new PassLoop(options, _wishes, _kept, _kernel, _publishedPorts, names, logger) { Signals = signals, RenewCipherGeneration = () => _cipher.Renew(_wishes.Renew) };
        _findings = new NodeFindings(_host, options, _wishes, _silence, wish => _passes.WaitAsync(wish, _life.Token));
        _prober = new PeerProber(options, _findings.Reports, View, logger);
        HoldPorts();
    }

    /// <inheritdoc/>
    public Watched<ulong> AppliedRevision => _passes.AppliedRevision;

    /// <summary>What programs of the host listen on; null before the first look.</summary>
    public Watched<IReadOnlyList<HostListener>?> Listeners => _publishedPorts.Listeners;

    /// <summary>What this host reaches by its own routes and which name servers it asks; null before the first look.</summary>
    public Watched<IReadOnlyList<HostPrefix>?> Prefixes => _prefixes.Current;

    /// <summary>What others had changed in the kernel and was put right.</summary>
    public RepairJournal Repairs { get; }

    /// <summary>What others' packet rules cut off.</summary>
    public Watched<IReadOnlyList<BlockedPath>> BlockedPaths => _firewalls.Blocked;

    /// <inheritdoc/>
    public Watched<string> CipherGeneration => _cipher.Current;

    /// <inheritdoc/>
    public Watched<ImmutableArray<string>> Findings => _prober.Findings;

    /// <inheritdoc/>
    public EjectionCounts EjectionCounts => _ejector.Counts;

    /// <inheritdoc/>
    public SocketBalancing? SocketBalancing => _kernel.SocketBalancing;

    /// <summary>How many published ports the relay serves, by the plan that the kernel holds; their rules are there when it is told.</summary>
    public Watched<int> RelayedPorts => _passes.Relayed.Count;

    /// <summary>The relay's place.</summary>
    public string RelayNamespace => PathOf(WantedSpace.IngressSandbox);

    /// <inheritdoc/>
    public void Submit(NodePlan plan, PlanDelta? delta)
    {
        ArgumentNullException.ThrowIfNull(plan);
        _wishes.Submit(plan, delta, Remembered);
    }

    /// <inheritdoc/>
    public void Resume(NodePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        _wishes.Resume(plan, Remembered);
    }

    /// <summary>Keeps the kernel right until <paramref name="stopping"/>. What is in the kernel then stays, and keeps packets moving.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            await Together.RunAsync(
                stopping,
                _passes.RunAsync,
                RestoreNamesAsync,
                _ejector.RunAsync,
                ending => _publishedPorts.FollowAsync(_passes.RetryPorts, FollowAddresses, ending),
                _firewalls.RunAsync,
                _prober.RunAsync,
                ending => _prefixes.FollowAsync(_options.Clock, _logger, ending));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        finally
        {
            await _kept.FinishAsync(_passes.Published);
        }
    }

    /// <inheritdoc/>
    public async Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        SandboxRules.Check(request, () => _cipher.Missing());
        SandboxRules.CheckFamilies(View(), request);
        if (request.Attachments.Any(a => a.Network.Encrypted) && _cipher.Current.Value.Length == 0)
        {
            // The kernel learnt to encrypt since the daemon started.
            _cipher.Renew(_wishes.Renew);
        }

        var wish = _wishes.Add(request, _ports);
        var (sandbox, spaces) = _wishes.View(v => (v.Sandboxes[request.ContainerId], SandboxRules.SpacesOf(v, request)));
        await _passes.WaitAsync(wish, spaces.Contains, cancellationToken);
        var resolv = await _names.AddAsync(SandboxDescription.Names(sandbox, PathOf(sandbox.SpaceName)), cancellationToken);
        _logger.Attached(sandbox.SpaceName);
        return SandboxDescription.Of(View().Facts, GatewayId, sandbox, PathOf(sandbox.SpaceName)) with { ResolvConf = resolv };
    }

    /// <summary>
    /// After a restart names come back with the first plan, the one on disk, before the agent has found its containers again. Not
    /// earlier: a server without a plan would take the swarm's names for names outside.
    /// </summary>
    private async Task RestoreNamesAsync(CancellationToken stopping)
    {
        await AppliedRevision.WaitAsync(revision => revision > 0, stopping);
        foreach (var (id, sandbox) in View().Sandboxes)
        {
            try
            {
                await _names.AddAsync(SandboxDescription.Names(sandbox, PathOf(sandbox.SpaceName)), stopping);
                if (!View().Sandboxes.ContainsKey(id))
                {
                    await _names.RemoveAsync(id, stopping);
                }
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or Skep.Kernel.Nftables.NftException or ClusterException)
            {
                _logger.NamesStayedAway(sandbox.SpaceName, e.Message);
            }
        }
    }

    /// <inheritdoc/>
    public async Task DetachAsync(string containerId, CancellationToken cancellationToken)
    {
        await _names.RemoveAsync(containerId, cancellationToken);
        if (_wishes.Remove(containerId) is { } wish)
        {
            _ports.Release(containerId);
            // Once more, for a server that came back between the two.
            await _names.RemoveAsync(containerId, cancellationToken);
            var space = Model.Identity.ContainerId.Short(containerId);
            await _passes.WaitAsync(wish, name => name == space || name.Length == 0, cancellationToken);
            _logger.Detached(space);
        }
    }

    /// <summary>
    /// Removes the sandboxes of all other containers, and whatever else an earlier daemon left in the places that are ours. Called
    /// when every container that is to live on has been attached.
    /// </summary>
    public async Task RetainAsync(IReadOnlySet<string> containerIds, CancellationToken cancellationToken)
    {
        foreach (var gone in View().Sandboxes.Keys.Where(id => !containerIds.Contains(id)))
        {
            await DetachAsync(gone, cancellationToken);
        }

        await _passes.WaitAsync(_wishes.Sweep(), cancellationToken);
    }

    /// <summary>Reads everything back now, puts right what differs, and returns when that is done.</summary>
    public async Task AuditAsync(CancellationToken cancellationToken)
    {
        _passes.TouchAll();
        await _passes.WaitAsync(_wishes.Again(), cancellationToken);
    }

    /// <summary>Takes everything of ours out of the kernel and forgets this node's choices: the node has left the swarm.</summary>
    public async Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        foreach (var id in View().Sandboxes.Keys)
        {
            await _names.RemoveAsync(id, cancellationToken);
            _ports.Release(id);
        }

        await _passes.WaitAsync(_wishes.Leave(), cancellationToken);
        await _kept.SettleAsync();
        _kept.Delete();
        _ejector.Forget();
        _silence.Delete();
    }

    /// <inheritdoc/>
    public Sandbox? FindSandbox(string containerId) => _wishes.View(v => v.Sandboxes.GetValueOrDefault(containerId) is { } sandbox
        ? SandboxDescription.Of(v.Facts, GatewayId, sandbox, PathOf(sandbox.SpaceName))
        : null);

    /// <inheritdoc/>
    public SandboxTraffic? TrafficOf(string containerId) => SandboxTraffic.Of(PathOf(Model.Identity.ContainerId.Short(containerId)));

    /// <inheritdoc/>
    public LocalNetwork? Describe(string networkId) => NetworkDescription.Of(View(), networkId, _wishes.Local.CreatedAt);

    /// <inheritdoc/>
    public IReadOnlyList<LocalNetwork> DescribeNetworks() => NetworkDescription.All(View(), _wishes.Local.CreatedAt);

    /// <inheritdoc/>
    public IReadOnlyList<EncryptedNetwork> EncryptedNetworks() => EncryptedNetwork.Of(View(), () =>
    {
        using var table = Kernel.Xfrm.XfrmTable.Open(_host);
        return table.States();
    });

    /// <inheritdoc/>
    public IReadOnlyList<EjectedBackend> DescribeEjected() => _ejector.Describe();

    /// <inheritdoc/>
    public IReadOnlyList<PeerPath> DescribePaths() => _prober.Describe();

    /// <inheritdoc/>
    public IReadOnlyList<BlockedPath> DescribeBlocked() => _firewalls.Blocked.Value;

    /// <inheritdoc/>
    public RelayStatus? DescribeRelay() => RelayStatus.Of(RelayNamespace, RelayedPorts.Value);

    /// <inheritdoc/>
    public LocalNetwork? DescribeGatewayBridge() =>
        _wishes.HasPlan ? NetworkDescription.OfGatewayBridge(View(), GatewayId, _wishes.Local.CreatedAt) : null;

    public void Dispose()
    {
        _life.Cancel();
        _prober.Dispose();
        _kernel.Dispose();
        _ports.Dispose();
        _publishedPorts.Dispose();
        _firewalls.Dispose();
        _host.Dispose();
        _life.Dispose();
    }

    private NodeView View() => _wishes.View(v => v);

    // What an earlier daemon knew of backends and of nodes.
    private BackendHealth Remembered() => _ejector.Remembered() with { SilentNodes = [.. _silence.Read()] };

    private string GatewayId => Addressing.IdOf($"{SpaceNames.GatewayBridge}/{_options.NodeId}");

    private string PathOf(string space) => Path.Combine(_options.NamespaceFolder, space);

    private LocalState Prepare(LocalState local) => local with
    {
        GatewaySubnet = HostFacts.GatewaySubnet(_host, local.GatewaySubnet, _options.GatewaySubnets).ToString(),
        GatewaySubnet6 = HostFacts.GatewaySubnet6(_host, local.GatewaySubnet6, _options.NodeId)?.ToString() ?? "",
        CreatedAt = local.CreatedAt == default ? _options.Clock.GetUtcNow() : local.CreatedAt,
        CipherGeneration = _cipher.Begin(local.CipherGeneration),
    };

    // Ports of sandboxes that live on are held again. One that another program got meanwhile is told, not fatal: the rules
    // that lead to the container are there and come first.
    private void HoldPorts()
    {
        foreach (var sandbox in _kept.State.Sandboxes.Values)
        {
            try
            {
                _ports.Take(sandbox.Request.ContainerId, sandbox.HostPorts, sandbox.Access);
            }
            catch (ClusterException taken)
            {
                _logger.PortHeldByOther(taken, sandbox.SpaceName);
            }
        }
    }

    private void FollowAddresses()
    {
        // Routers may tell the host its first IPv6 address after the daemon has started.
        if (_wishes.Local.GatewaySubnet6.Length == 0 && HostFacts.GatewaySubnet6(_host, "", _options.NodeId) is { } subnet)
        {
            _wishes.Begin6(subnet);
        }

        // Where only some addresses listen, which those are follows the host. No restriction changes meanwhile.
        _wishes.View(v =>
        {
            foreach (var sandbox in v.Sandboxes.Values.Where(s => s.HostPorts.Count > 0 && s.Access?.Any(a => a.Addresses is not null) == true))
            {
                MovePorts(sandbox);
            }

            return v;
        });
    }

    // Who widens a label is told of programs in the way by the managers; one that came since keeps its socket, and gets no packet.
    private void MovePorts(LocalSandbox sandbox)
    {
        foreach (var refusal in _ports.Move(sandbox.Request.ContainerId, sandbox.Access))
        {
            _logger.PortHeldByOther(new ClusterException(ErrorKind.Conflict, refusal), sandbox.SpaceName);
        }
    }
}
