using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Model.Plans;

namespace Skep.Network.Dns;

/// <summary>
/// The names of this node's sandboxes. A network's names are made when its plan changes; a query looks up what is there. The data plane leads
/// 127.0.0.11:53 to where it listens (<see cref="NamePlace"/>).
/// </summary>
public sealed class NameServer : INameServer, IAsyncDisposable
{
    // Taken for a whole AddAsync or RemoveAsync, so that two of one sandbox follow each other; the gate guards the tables alone.
    private readonly SemaphoreSlim _changes = new(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SandboxNameServer> _servers = [];
    private readonly Dictionary<string, NetworkNames> _networks = [];
    private readonly Dictionary<string, NetworkNames> _prepared = [];
    private readonly DatagramPump _pump;
    private readonly IReadOnlyList<IPAddress> _outside;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly bool _balances6;

    /// <param name="servers">Servers for names outside; empty takes those of the host's resolv.conf.</param>
    /// <param name="clock">Times the forwarding.</param>
    /// <param name="log">Where trouble is told.</param>
    /// <param name="balances6">False where nobody answers at a virtual address of IPv6, as on the classic data plane: no name leads there.</param>
    public NameServer(IReadOnlyList<IPAddress> servers, TimeProvider clock, ILogger<NameServer> log, bool balances6 = true)
    {
        (_outside, _clock, _log, _balances6) = (servers, clock, log, balances6);
        _pump = new DatagramPump(log);
    }

    public async Task<string> AddAsync(SandboxNames sandbox, CancellationToken cancellationToken)
    {
        await _changes.WaitAsync(cancellationToken);
        try
        {
            ulong inode;
            using (var space = NetworkNamespace.Open(sandbox.NamespacePath))
            {
                inode = space.Inode;
            }

            // Read anew for each sandbox: a host's servers change with its network.
            var host = ResolvConf.OfHost();
            host = _outside.Count > 0 ? host with { Servers = _outside } : host;
            if (Running(sandbox.ContainerId) is { } running && running.Serves(sandbox, inode))
            {
                return ResolvConf.TextFor(sandbox.Dns, host);
            }

            await StopAsync(sandbox.ContainerId);
            var server = new SandboxNameServer(sandbox, _pump, host, _clock, _log);
            lock (_gate)
            {
                server.Update(_networks, Ingress());
                _servers[sandbox.ContainerId] = server;
            }

            // It knows its names from the first query on.
            server.Start();
            return ResolvConf.TextFor(sandbox.Dns, host);
        }
        finally
        {
            _changes.Release();
        }
    }

    public async Task RemoveAsync(string containerId, CancellationToken cancellationToken)
    {
        await _changes.WaitAsync(cancellationToken);
        try
        {
            await StopAsync(containerId);
        }
        finally
        {
            _changes.Release();
        }
    }

    public void Update(NodePlan plan) => Update(plan, null);

    public void Prepare(NodePlan plan, PlanDelta? delta)
    {
        foreach (var (id, network) in plan.Networks)
        {
            NetworkNames? known;
            lock (_gate)
            {
                known = _networks.GetValueOrDefault(id);
            }

            if (!ReferenceEquals(known?.Plan, network) && !Follows(known, network, delta))
            {
                var names = NetworkNames.Of(network, _balances6);
                lock (_gate)
                {
                    _prepared[id] = names;
                }
            }
        }
    }

    public void Update(NodePlan plan, PlanDelta? delta)
    {
        lock (_gate)
        {
            var changed = false;
            foreach (var gone in _networks.Keys.Where(id => !plan.Networks.ContainsKey(id)).ToList())
            {
                changed |= _networks.Remove(gone);
            }

            foreach (var (id, network) in plan.Networks)
            {
                if (!_networks.TryGetValue(id, out var known) || !ReferenceEquals(known.Plan, network))
                {
                    _networks[id] = Follows(known, network, delta) ? known.Next(network, [.. delta.Keys.Where(k => k.NetworkId == id)])
                        : _prepared.TryGetValue(id, out var made) && ReferenceEquals(made.Plan, network) ? made
                        : NetworkNames.Of(network, _balances6);
                    changed = true;
                }
            }

            _prepared.Clear();
            if (changed)
            {
                foreach (var server in _servers.Values)
                {
                    server.Update(_networks, Ingress());
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _changes.WaitAsync(CancellationToken.None);
        foreach (var id in _servers.Keys.ToList())
        {
            await StopAsync(id);
        }

        _pump.Dispose();
        _changes.Dispose();
    }

    private static bool Follows([NotNullWhen(true)] NetworkNames? known, NetworkPlan network, [NotNullWhen(true)] PlanDelta? delta) =>
        known is not null && delta is not null && ReferenceEquals(known.Plan, delta.Before.Networks.GetValueOrDefault(network.Network.Id))
        && (known.Plan.Network.Name, known.Plan.Network.Ingress) == (network.Network.Name, network.Network.Ingress);

    private SandboxNameServer? Running(string containerId)
    {
        lock (_gate)
        {
            return _servers.GetValueOrDefault(containerId);
        }
    }

    private async Task StopAsync(string containerId)
    {
        SandboxNameServer? server;
        lock (_gate)
        {
            _servers.Remove(containerId, out server);
        }

        if (server is not null)
        {
            await server.DisposeAsync();
        }
    }

    private NetworkNames? Ingress() => _networks.Values.FirstOrDefault(n => n.Plan.Network.Ingress);
}
