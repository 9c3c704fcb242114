using System.Net;
using Skep.Daemon.Supervision;
using Skep.Network;

namespace Skep.Daemon.Swarm;

/// <summary>A running membership: the agent, its network, and on a manager the manager's part.</summary>
internal sealed class Member : IDisposable
{
    private readonly SwarmFolder _folder;
    private readonly NodeIdentity _identity;
    private readonly AgentRole _agent;
    private readonly NodeNetwork _network;
    private readonly RelayProcess _relay;
    private readonly Lock _saving = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _agentStopping = new();
    private readonly SwarmParts _parts;
    private SwarmState _state;
    private Task _running = Task.CompletedTask;
    private Task _agentRunning = Task.CompletedTask;

    private Member(SwarmParts parts, SwarmFolder folder, NodeIdentity identity, SwarmState state, ManagerRole? manager)
    {
        (_parts, _folder, _identity, _state, Manager) = (parts, folder, identity, state, manager);
        _network = parts.Network(identity.Peer.NodeId, IPAddress.Parse(state.DataPathAddress));
        _relay = new RelayProcess(
            new RelayProcessOptions { RunFolder = Path.Combine(parts.Options.RunRoot, "relay"), Namespace = _network.RelayNamespace },
            _network.RelayedPorts,
            _network.DescribeRelay,
            parts.Clock,
            parts.Logging);
        var context = new MemberContext(folder.Path, identity, state)
        {
            Describe = () => NodeDescriber.Describe(parts.Options, identity, parts.Version),
            ManagersChanged = managers => ManagersChanged(managers),
        };
        _agent = new AgentRole(context, parts.Runtime, parts.Images, _network, parts.Clock, parts.Logging);
    }

    public ManagerRole? Manager { get; }
    public INodeNetwork Network => _network;

    /// <param name="parts">What it is built from.</param>
    /// <param name="folder">The swarm's folder.</param>
    /// <param name="identity">Who it is.</param>
    /// <param name="state">What it remembers.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <param name="founded">The first objects, when the swarm is new.</param>
    public static async Task<Member> StartAsync(
        SwarmParts parts, SwarmFolder folder, NodeIdentity identity, SwarmState state, CancellationToken cancellationToken, FoundedSwarm? founded = null)
    {
        var manager = state.IsManager ? await ManagerRole.StartAsync(parts, folder, identity, state, founded, cancellationToken) : null;
        var member = new Member(parts, folder, identity, state, manager);
        member._agentRunning = parts.Loops.RunAsync("agent", member._agent.RunAsync, member._agentStopping.Token);
        member._running = member.RunAsync(member._stopping.Token);
        return member;
    }

    public void SaveState()
    {
        // Who starts the member saves, and so does the session as soon as it hears of managers; both write the same file.
        lock (_saving)
        {
            Volatile.Read(ref _state).Save(_folder.State);
        }
    }

    /// <summary>Waits until the managers have spoken and the node is what they said.</summary>
    public async Task ReadyAsync(CancellationToken cancellationToken)
    {
        await _agent.Session.Spoken.WaitAsync(cancellationToken);
        if (Manager is not null)
        {
            await Manager.NodeReadyAsync(_identity.Peer.NodeId, cancellationToken);
        }
    }

    public SwarmMembership Membership(string state, string error) => new()
    {
        State = state,
        NodeId = _identity.Peer.NodeId,
        NodeAddress = _state.AdvertiseAddress,
        ControlAvailable = Manager is not null,
        Error = error,
        RemoteManagers = [.. _state.Managers.Select(m => (m.NodeId, m.Address))],
    };

    /// <summary>Stops; with <paramref name="removeAll"/> the tasks and the networks go too, without it they go on by themselves.</summary>
    public async Task EndAsync(bool removeAll, CancellationToken cancellationToken)
    {
        await _agentStopping.CancelAsync();
        await _agentRunning;
        if (removeAll)
        {
            // The network's loop still runs: it is what takes the kernel's objects away.
            await _agent.RemoveAllAsync(cancellationToken);
            await _network.RemoveAllAsync(cancellationToken);
        }

        await _stopping.CancelAsync();
        await _running;
        if (removeAll)
        {
            await _relay.EndAsync(cancellationToken);
        }

        _network.Dispose();
        if (Manager is not null)
        {
            await Manager.EndAsync(removeAll, cancellationToken);
        }

        Dispose();
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _agentStopping.Dispose();
        _identity.Dispose();
    }

    private Task RunAsync(CancellationToken stopping)
    {
        var renewal = new CertificateRenewal(_identity, _agent.Peers, _parts.Clock, _parts.Log);
        return Task.WhenAll(
            _parts.Loops.RunAsync("network", _network.RunAsync, stopping),
            _parts.Loops.RunAsync("relay", _relay.RunAsync, stopping),
            _parts.Loops.RunAsync("certificate renewal", renewal.RunAsync, stopping),
            Manager is null ? Task.CompletedTask : _parts.Loops.RunAsync("manager", Manager.RunAsync, stopping));
    }

    private void ManagersChanged(IReadOnlyList<(string NodeId, string Address)> managers)
    {
        var next = _state with { Managers = [.. managers.Select(m => new ManagerPlace(m.NodeId, m.Address))] };
        if (!next.Managers.SequenceEqual(_state.Managers))
        {
            Volatile.Write(ref _state, next);
            SaveState();
        }
    }
}
