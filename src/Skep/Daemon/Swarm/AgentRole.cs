using Skep.Agent.Images;
using Skep.Agent.Runtime;
using Skep.Agent.Session;
using Skep.Agent.Tasks;
using Skep.Model.Errors;
using Skep.Model.Flow;
using Skep.Model.Identity;
using Skep.Network;
using Skep.Rpc;

namespace Skep.Daemon.Swarm;

/// <summary>What every member does: keeps a session with the managers and runs what they assign.</summary>
internal sealed class AgentRole
{
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);
    private readonly TaskManager _tasks;
    private readonly AgentSession _session;
    private readonly AssignmentFile _file;
    private readonly NodeNetwork _network;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;

    public AgentRole(
        MemberContext member, IContainerRuntime runtime, IImageStore images, NodeNetwork network, TimeProvider clock, ILoggerFactory logging)
    {
        (_network, _clock, _log) = (network, clock, logging.CreateLogger<AgentRole>());
        var reporter = new StatusReporter();
        _file = new AssignmentFile(Path.Combine(member.Folder, "assignments.bin"), clock, logging.CreateLogger<AssignmentFile>());
        _tasks = new TaskManager(runtime, images, network, reporter, clock, logging.CreateLogger<TaskManager>());

        // Until a manager greets it, the node is what it can say of itself; tasks that are resumed may name it.
        _tasks.NodeIs(new Model.Objects.SwarmNode { Id = member.Identity.Peer.NodeId, Description = member.Describe() });
        Peers = new SessionPeers
        {
            Managers = [.. member.State.Managers.Select(m => (m.NodeId, m.Address))],
            Open = address =>
            {
                var (host, port) = HostPort.Parse(address, HostPort.DefaultControlPort);
                return RpcChannel.OverTcp(host, port, member.Identity.ClientTls());
            },
            Describe = () => member.Describe() with
            {
                Listeners = network.Listeners.Value,
                Prefixes = network.Prefixes.Value,
                CipherGeneration = network.CipherGeneration.Value,
            },
            Listeners = network.Listeners,
            Prefixes = network.Prefixes,
            CipherGeneration = network.CipherGeneration,
            AdvertiseAddress = member.State.AdvertiseAddress,
            DataPathAddress = member.State.DataPathAddress,
            Applied = network.AppliedRevision,
            Findings = network.Findings,
            Repairs = () => network.Repairs.Total,
            Remember = _file.Remember,
            ManagersChanged = member.ManagersChanged,
        };
        var logs = new LogPublisher(runtime, logging.CreateLogger<LogPublisher>());
        _session = new AgentSession(Peers, _tasks, reporter, logs, clock, logging.CreateLogger<AgentSession>());
    }

    public SessionPeers Peers { get; }
    public AgentSession Session => _session;
    public TaskManager Tasks => _tasks;

    public async Task RunAsync(CancellationToken stopping)
    {
        if (_file.Load() is { } before)
        {
            _session.Resume(before, stopping);
        }

        await Together.RunAsync(stopping, _session.RunAsync, _file.RunAsync, TidyAsync);
    }

    /// <summary>Takes away all that the node ran for the swarm.</summary>
    public Task RemoveAllAsync(CancellationToken cancellationToken) => _tasks.RemoveAllAsync(cancellationToken);

    /// <summary>Once the managers have spoken after a start, what belongs to no task is left over from before.</summary>
    private async Task TidyAsync(CancellationToken stopping)
    {
        await _session.Spoken.WaitAsync(stopping);
        while (true)
        {
            try
            {
                await _tasks.RemoveStrangersAsync(stopping);
                await _network.RetainAsync(_tasks.Tasks.Select(t => ContainerId.Of(t.Id)).ToHashSet(), stopping);
                return;
            }
            catch (Exception e) when (e is IOException or ClusterException)
            {
                // A full disk or a containerd that is away: what is left over can wait.
                _log.NotTidied(e.Message);
                await Task.Delay(s_retry, _clock, stopping);
            }
        }
    }
}
