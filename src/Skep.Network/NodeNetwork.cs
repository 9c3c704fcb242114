using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Model.Errors;
using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Network.Desired;
using Skep.Network.Dns;
using Skep.Network.Local;
using Skep.Network.Reconcile;

namespace Skep.Network;

/// <summary>
/// The node's data plane in nftables, bridges and VXLAN. Wishes (a plan, a sandbox) are noted at once; <see cref="RunAsync"/>
/// brings the kernel to them, pass by pass, and repairs what others change.
/// </summary>
public sealed class NodeNetwork : INodeNetwork, IDisposable
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan s_retry = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly NodeNetworkOptions _options;
    private readonly INameServer _names;
    private readonly ILogger<NodeNetwork> _logger;
    private readonly LocalStateFile _file;
    private readonly NetworkNamespace _host;
    private readonly HostPortReservations _ports;
    private readonly Reconciler _reconciler;
    private readonly Coalescer _passes;
    private readonly PassGate _ended = new();
    private LocalState _local;
    private NodePlan? _plan;
    private NodePlan? _written;
    private NodePlan? _published;
    private (NodePlan? Plan, LocalState? Local, WantedNode Wanted) _computed = (null, null, DesiredState.Nothing);
    private int? _mtu;
    private long _wish;
    private int _due;
    private bool _sweep;
    private bool _leaving;

    public NodeNetwork(NodeNetworkOptions options, INameServer names, ILogger<NodeNetwork> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _names, _logger) = (options, names, logger);
        _host = Spaces.OpenHost(options);
        _ports = new HostPortReservations(_host);
        _passes = new Coalescer(options.Clock, s_quiet, s_longest);
        _reconciler = new Reconciler(options, _passes.Signal, logger);
        _file = new LocalStateFile(options.StateFolder);
        _local = Prepare(_file.Read());
        _plan = _written = _file.ReadPlan() is { } last && last.NodeId == options.NodeId ? last : null;
        HoldPorts();
    }

    /// <inheritdoc/>
    public Watched<ulong> AppliedRevision { get; } = new(0, (next, now) => next != now);

    /// <inheritdoc/>
    public void Submit(NodePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var own = plan.NodeId == _options.NodeId ? plan : plan with { NodeId = _options.NodeId };
        Change(local => local, () => (_plan, _leaving) = (own, false));
    }

    /// <summary>Keeps the kernel right until <paramref name="stopping"/>. What is in the kernel then stays, and keeps packets moving.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            _passes.Signal();
            await Task.WhenAll(
                _passes.RunAsync(PassAsync, stopping),
                RestoreNamesAsync(stopping),
                TickAsync(_options.SettingsPeriod, SpaceParts.Settings, stopping),
                TickAsync(_options.FullPassPeriod, SpaceParts.All, stopping));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    /// <inheritdoc/>
    public async Task<Sandbox> AttachAsync(SandboxRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        SandboxRules.Check(request);
        var wish = Note(request);
        var (sandbox, spaces) = View(v => (v.Sandboxes[request.ContainerId], SandboxRules.SpacesOf(v, request)));
        await _ended.WaitAsync(wish, spaces.Contains, cancellationToken);
        var resolv = await _names.AddAsync(SandboxDescription.Names(sandbox, PathOf(sandbox.SpaceName)), cancellationToken);
        _logger.Attached(sandbox.SpaceName);
        return View(v => SandboxDescription.Of(v.Facts, GatewayId, sandbox, PathOf(sandbox.SpaceName))) with { ResolvConf = resolv };
    }

    /// <summary>
    /// After a restart names come back with the first plan, the one on disk, before the agent has found its containers again. Not
    /// earlier: a server without a plan would take the swarm's names for names outside.
    /// </summary>
    private async Task RestoreNamesAsync(CancellationToken stopping)
    {
        await AppliedRevision.WaitAsync(revision => revision > 0, stopping);
        foreach (var (id, sandbox) in View(v => v.Sandboxes.ToList()))
        {
            try
            {
                await _names.AddAsync(SandboxDescription.Names(sandbox, PathOf(sandbox.SpaceName)), stopping);
                if (!View(v => v.Sandboxes.ContainsKey(id)))
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
        if (Change(local => local with { Sandboxes = local.Sandboxes.Remove(containerId) }) is { } wish)
        {
            _ports.Release(containerId);
            // Once more, for a server that came back between the two.
            await _names.RemoveAsync(containerId, cancellationToken);
            var space = Model.Identity.ContainerId.Short(containerId);
            await _ended.WaitAsync(wish, name => name == space || name.Length == 0, cancellationToken);
            _logger.Detached(space);
        }
    }

    /// <summary>
    /// Removes the sandboxes of all other containers, and whatever else an earlier daemon left in the places that are ours. Called
    /// when every container that is to live on has been attached.
    /// </summary>
    public async Task RetainAsync(IReadOnlySet<string> containerIds, CancellationToken cancellationToken)
    {
        foreach (var gone in View(v => v.Sandboxes.Keys.Where(id => !containerIds.Contains(id)).ToList()))
        {
            await DetachAsync(gone, cancellationToken);
        }

        var wish = Change(local => local, () => _sweep = true)!.Value;
        await _ended.WaitAsync(wish, _ => true, cancellationToken);
    }

    /// <summary>Takes everything of ours out of the kernel and forgets this node's choices: the node has left the swarm.</summary>
    public async Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        foreach (var id in View(v => v.Sandboxes.Keys.ToList()))
        {
            await _names.RemoveAsync(id, cancellationToken);
            _ports.Release(id);
        }

        var wish = Change(local => local with { Sandboxes = local.Sandboxes.Clear() }, () => (_plan, _leaving) = (NodePlan.Empty, true))!.Value;
        await _ended.WaitAsync(wish, _ => true, cancellationToken);
        _file.Delete();
    }

    /// <inheritdoc/>
    public Sandbox? FindSandbox(string containerId) => View(v => v.Sandboxes.GetValueOrDefault(containerId) is { } sandbox
        ? SandboxDescription.Of(v.Facts, GatewayId, sandbox, PathOf(sandbox.SpaceName))
        : null);

    /// <inheritdoc/>
    public LocalNetwork? Describe(string networkId) => View(v => NetworkDescription.Of(v, networkId, _local.CreatedAt));

    /// <inheritdoc/>
    public LocalNetwork? DescribeGatewayBridge() =>
        _plan is null || _leaving ? null : View(v => NetworkDescription.OfGatewayBridge(v, GatewayId, _local.CreatedAt));

    public void Dispose()
    {
        _reconciler.Dispose();
        _ports.Dispose();
        _host.Dispose();
    }

    private string GatewayId => Addressing.IdOf($"{SpaceNames.GatewayBridge}/{_options.NodeId}");

    private string PathOf(string space) => Path.Combine(_options.NamespaceFolder, space);

    private LocalState Prepare(LocalState local) => local with
    {
        GatewaySubnet = HostFacts.GatewaySubnet(_host, local.GatewaySubnet, _options.GatewaySubnets).ToString(),
        CreatedAt = local.CreatedAt == default ? _options.Clock.GetUtcNow() : local.CreatedAt,
    };

    // Ports of sandboxes that live on are held again. One that another program got meanwhile is told, not fatal: the rules
    // that lead to the container are there and come first.
    private void HoldPorts()
    {
        foreach (var sandbox in _local.Sandboxes.Values)
        {
            try
            {
                _ports.Take(sandbox.Request.ContainerId, sandbox.HostPorts);
            }
            catch (ClusterException taken)
            {
                _logger.PortHeldByOther(taken, sandbox.SpaceName);
            }
        }
    }

    private long Note(SandboxRequest request)
    {
        lock (_gate)
        {
            var known = _local.Sandboxes.GetValueOrDefault(request.ContainerId);
            var ports = known is not null && SandboxRules.SamePorts(known.Request, request)
                ? known.HostPorts
                : _ports.Take(request.ContainerId, request.HostPorts);
            return Change(local => local.WithSandbox(request, ports)) ?? _wish;
        }
    }

    /// <summary>Notes a change of wishes and asks for a pass. Null when nothing changed.</summary>
    private long? Change(Func<LocalState, LocalState> change, Action? also = null)
    {
        lock (_gate)
        {
            var next = change(_local);
            also?.Invoke();
            next = next.WithNumbers(DesiredState.Carried(ViewOf(next)).Select(n => n.Id));
            if (next == _local && also is null)
            {
                return null;
            }

            if (next != _local)
            {
                _file.Write(next);
                _local = next;
            }

            _wish++;
        }

        _passes.Signal();
        return _wish;
    }

    private T View<T>(Func<NodeView, T> read)
    {
        lock (_gate)
        {
            return read(ViewOf(_local));
        }
    }

    private NodeView ViewOf(LocalState local) =>
        new(_plan ?? NodePlan.Empty with { NodeId = _options.NodeId }, new NodeFacts(_options.Vtep, System.Net.IPNetwork.Parse(local.GatewaySubnet))
        {
            UnderlayMtu = _mtu ??= HostFacts.UnderlayMtu(_host, _options.Vtep),
            SpaceNumbers = local.SpaceNumbers,
        })
        {
            Sandboxes = local.Sandboxes,
        };

    private async Task PassAsync(CancellationToken stopping)
    {
        NodeView view;
        LocalState local;
        long wish;
        bool sweep;
        lock (_gate)
        {
            (view, local, wish, sweep) = (ViewOf(_local), _local, _wish, _sweep);
            // Before the first plan nobody knows what is right; what an earlier daemon built goes on as it is.
            if (_plan is null)
            {
                return;
            }

            _sweep = false;
        }

        var due = (SpaceParts)Interlocked.Exchange(ref _due, 0);
        _reconciler.Touch(due);

        var failed = ImmutableDictionary<string, Exception>.Empty;
        try
        {
            failed = await _reconciler.ApplyAsync(_leaving ? DesiredState.Nothing : Wanted(view, local), sweep || _leaving, stopping);
        }
        catch (Exception failure) when (!stopping.IsCancellationRequested)
        {
            _logger.PassFailed(failure);
            failed = failed.Add(WantedSpace.Host, failure);
        }

        if (failed.IsEmpty)
        {
            Publish(view.Plan);
            Save(due);
        }
        else
        {
            _ = RetryAsync(sweep, stopping);
        }

        _ended.Ended(wish, failed);
    }

    // A look at the kernel's state costs no new computation of what it should be.
    private WantedNode Wanted(NodeView view, LocalState local)
    {
        if (!ReferenceEquals(_computed.Plan, view.Plan) || !ReferenceEquals(_computed.Local, local))
        {
            _computed = (view.Plan, local, DesiredState.Compute(view));
        }

        return _computed.Wanted;
    }

    private void Publish(NodePlan plan)
    {
        if (!ReferenceEquals(plan, _published))
        {
            _names.Update(plan);
            _published = plan;
            AppliedRevision.TryPublish(plan.Revision);
            _logger.Applied(plan.Revision);
        }
    }

    // The whole plan is written by the clock, not by its changes: a daemon that starts with an older one soon gets the newest.
    private void Save(SpaceParts due)
    {
        if (due != SpaceParts.None && !ReferenceEquals(_published, _written) && !_leaving)
        {
            _file.Write(_published!);
            _written = _published;
        }
    }

    private async Task RetryAsync(bool sweep, CancellationToken stopping)
    {
        try
        {
            await Task.Delay(s_retry, _options.Clock, stopping);
            lock (_gate)
            {
                _sweep |= sweep;
            }

            Interlocked.Or(ref _due, (int)SpaceParts.All);
            _passes.Signal();
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task TickAsync(TimeSpan period, SpaceParts parts, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(period, _options.Clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            Interlocked.Or(ref _due, (int)parts);
            _passes.Signal();
        }
    }
}
