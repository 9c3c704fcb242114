using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Nftables;
using Skep.Model.Plans;

namespace Skep.Network.Dns;

/// <summary>
/// The names of this node's sandboxes. A network's names are made when its plan changes; a query looks up what is there.
/// </summary>
public sealed class NameServer : INameServer, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, SandboxNameServer> _servers = [];
    private readonly Dictionary<string, NetworkNames> _networks = [];
    private readonly DatagramPump _pump;
    private readonly Forwarder _host;
    private readonly ResolvConf _resolv;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;

    /// <param name="servers">Servers for names outside; empty takes those of the host's resolv.conf.</param>
    /// <param name="clock">Times the forwarding.</param>
    /// <param name="log">Where trouble is told.</param>
    public NameServer(IReadOnlyList<System.Net.IPAddress> servers, TimeProvider clock, ILogger<NameServer> log)
    {
        (_clock, _log) = (clock, log);
        var host = ResolvConf.OfHost();
        _resolv = servers.Count > 0 ? host with { Servers = servers } : host;
        _host = new Forwarder((family, type, protocol) => new Socket(family, type, protocol), clock);
        _pump = new DatagramPump(log);
    }

    public async Task<string> AddAsync(SandboxNames sandbox, CancellationToken cancellationToken)
    {
        SandboxNameServer? older;
        lock (_gate)
        {
            _servers.Remove(sandbox.ContainerId, out older);
        }

        if (older is not null)
        {
            await older.DisposeAsync();
        }

        cancellationToken.ThrowIfCancellationRequested();
        using (var space = NetworkNamespace.Open(sandbox.NamespacePath))
        using (var rules = new Nftables(space))
        {
            await rules.RunAsync(NameRules.Transaction, cancellationToken);
        }

        var server = new SandboxNameServer(sandbox, _pump, _host, _resolv.Servers, _clock, _log);
        lock (_gate)
        {
            server.Update(_networks, Ingress());
            _servers[sandbox.ContainerId] = server;
        }

        return ResolvConf.TextFor(sandbox.Dns, _resolv);
    }

    public async Task RemoveAsync(string containerId, CancellationToken cancellationToken)
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

    public void Update(NodePlan plan)
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
                    _networks[id] = NetworkNames.Of(network);
                    changed = true;
                }
            }

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
        List<SandboxNameServer> all;
        lock (_gate)
        {
            all = [.. _servers.Values];
            _servers.Clear();
        }

        foreach (var server in all)
        {
            await server.DisposeAsync();
        }

        _pump.Dispose();
    }

    private NetworkNames? Ingress() => _networks.Values.FirstOrDefault(n => n.Plan.Network.Ingress);
}
