using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Conntrack;
using Skep.Kernel.Netlink;
using Skep.Kernel.NfLog;
using Skep.Model.Flow;
using Skep.Model.Plans;
using Skep.Network.Desired;

namespace Skep.Network.Ejection;

/// <summary>
/// Hears from the packet rules which backends answer and which refuse (<see cref="RefusalRules"/>), says which ports are to be left
/// out of balancing, and tries them until they answer again.
/// </summary>
internal sealed class Ejector
{
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_purge = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly NodeNetworkOptions _options;
    private readonly Func<NodeView> _view;
    private readonly Func<Func<BackendHealth, BackendHealth>, Task> _publish;
    private readonly ILogger _logger;
    private readonly EjectionBook _book = new();
    private readonly BackendIndex _index = new();
    private readonly EjectionMemory _memory;
    private readonly Coalescer _refused;
    private readonly Coalescer _news;
    private readonly long _start;
    private BackendHealth _last = BackendHealth.Unknown;
    private long _ejections;
    private long _returns;
    private bool _left;

    /// <param name="options">The node's place and clock.</param>
    /// <param name="view">What the node is to hold now.</param>
    /// <param name="publish">Changes what is known of backends; ends when the kernel holds it.</param>
    /// <param name="logger">The node network's.</param>
    public Ejector(NodeNetworkOptions options, Func<NodeView> view, Func<Func<BackendHealth, BackendHealth>, Task> publish, ILogger logger)
    {
        (_options, _view, _publish, _logger) = (options, view, publish, logger);
        _start = options.Clock.GetTimestamp();
        _memory = new EjectionMemory(options.StateFolder);
        foreach (var sign in _memory.Read())
        {
            _ = sign.Answers ? _book.Answer(sign.Port, TimeSpan.Zero) : _book.Refuse(sign.Port, served: true, TimeSpan.Zero);
        }

        _refused = new Coalescer(options.Clock, TimeSpan.Zero, TimeSpan.Zero);
        // A service that starts makes many ports answer one after the other.
        _news = new Coalescer(options.Clock, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(2));
    }

    /// <summary>How often a port was left out, and how often one came back, since the start.</summary>
    public EjectionCounts Counts => new(Interlocked.Read(ref _ejections), Interlocked.Read(ref _returns));

    private TimeSpan Now => _options.Clock.GetElapsedTime(_start);

    /// <summary>A packet that a rule told of, in the namespace of that name.</summary>
    public void Told(string space, LoggedPacket packet)
    {
        if (packet.Overrun)
        {
            _logger.SignsLost(space);
        }
        else if (SignReader.Read(packet.Bytes) is { } sign)
        {
            Told(sign, space);
        }
    }

    /// <summary>What is known from before, for the first computation of what the kernel must hold.</summary>
    public BackendHealth Remembered() => Write(BackendHealth.Unknown);

    /// <summary>The node has left the swarm.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _left = true;
            _memory.Delete();
        }
    }

    /// <summary>Tries what refuses, and remembers it for the next daemon, until <paramref name="stopping"/>.</summary>
    public Task RunAsync(CancellationToken stopping) => Together.RunAsync(stopping, TryAllAsync, PurgeAsync, RememberAsync);

    /// <summary>What is left out now, for people.</summary>
    public IReadOnlyList<EjectedBackend> Describe()
    {
        var (plan, now, wall) = (_view().Plan, Now, _options.Clock.GetUtcNow());
        lock (_gate)
        {
            return
            [
                .. from refusal in _book.Refusals
                   where refusal.Value.Out
                   let endpoint = _index.Find(plan, refusal.Key.Address)
                   where endpoint is not null
                   orderby refusal.Value.Since
                   select new EjectedBackend(
                       plan.Networks[endpoint.NetworkId].Network.Name, ServiceOf(plan, endpoint), endpoint.TaskId, refusal.Key.ToString(), ProofOf(refusal.Key),
                       wall - (now - refusal.Value.Since), wall + (refusal.Value.NextTrial - now)),
            ];
        }
    }

    private async Task TryAllAsync(CancellationToken stopping)
    {
        while (true)
        {
            if (Due() is not { } due)
            {
                await _refused.NextAsync(stopping);
                continue;
            }

            var wait = due - Now;
            await Task.Delay(wait < s_step ? (wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1)) : s_step, _options.Clock, stopping);
            Pass(stopping);
        }
    }

    // Nothing else looks at old answers while nobody refuses.
    private async Task PurgeAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(s_purge, _options.Clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            var plan = _view().Plan;
            bool changed;
            lock (_gate)
            {
                changed = _book.Purge(p => _index.Find(plan, p.Address) is not null, Now);
            }

            if (changed)
            {
                _ = PublishAsync(null);
            }
        }
    }

    private async Task RememberAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await _news.NextAsync(stopping);
                Remember();
            }
        }
        finally
        {
            Remember();
        }
    }

    private TimeSpan? Due()
    {
        lock (_gate)
        {
            return _book.NextDue;
        }
    }

    private void Told(Sign sign, string? space)
    {
        var (port, now) = (sign.Port, Now);
        var plan = _view().Plan;
        var changed = false;
        lock (_gate)
        {
            if (_index.Find(plan, port.Address) is not { } endpoint)
            {
                return;
            }

            var before = _book.Refusals.GetValueOrDefault(port);
            if (sign.Answers)
            {
                changed = _book.Answer(port, now);
            }
            else
            {
                // Datagrams have no handshake that would show who serves a port; there the refusal itself has to do.
                var served = port.Protocol == BackendPort.Udp || _index.Siblings(plan, endpoint).Any(a => _book.HasAnswered(port with { Address = a }, now));
                changed = _book.Refuse(port, served, now);
            }

            Tell(port, ServiceOf(plan, endpoint), before, _book.Refusals.GetValueOrDefault(port), now);
        }

        if (changed)
        {
            _refused.Signal();
            _ = PublishAsync(sign.Answers ? null : (space, port));
        }
    }

    private void Tell(BackendPort port, string service, Refusal? before, Refusal? after, TimeSpan now)
    {
        if (before is null && after is not null)
        {
            Interlocked.Increment(ref _ejections);
            _logger.Ejected(port.ToString(), service, ProofOf(port));
        }
        else if (before is not null && after is null)
        {
            Interlocked.Increment(ref _returns);
            _logger.Returned(port.ToString(), service, (now - before.Since).TotalSeconds);
        }
    }

    private void Pass(CancellationToken stopping)
    {
        var plan = _view().Plan;
        IReadOnlyList<BackendPort> trials;
        bool changed;
        lock (_gate)
        {
            (trials, var returned) = _book.Pass(Now);
            changed = _book.Retain(p => _index.Find(plan, p.Address) is not null) || returned;
        }

        if (changed)
        {
            _ = PublishAsync(null);
        }

        foreach (var port in trials)
        {
            _ = TryAsync(port, stopping);
        }
    }

    private async Task TryAsync(BackendPort port, CancellationToken stopping)
    {
        try
        {
            var node = _view();
            var endpoint = Find(node.Plan, port.Address);
            if (endpoint is null || Trial.From(node, endpoint.NetworkId, port.Address) is not { } from)
            {
                return;
            }

            var answers = await Trial.RunAsync(_options, from, port, stopping);
            _logger.Tried(port.ToString(), answers switch { true => "answers", false => "refuses", null => "did not answer" });
            if (answers is { } known)
            {
                Told(new Sign(port, known), null);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        catch (Exception failure)
        {
            _logger.TrialsEnded(failure);
        }
    }

    private PlanEndpoint? Find(NodePlan plan, IPAddress address)
    {
        lock (_gate)
        {
            return _index.Find(plan, address);
        }
    }

    // Datagrams of flows that are there already would go on to the port that refuses them, and so would connections from ports of ended ones
    // (StaleFlows); their entries go when the rules are in place.
    private async Task PublishAsync((string? Space, BackendPort Port)? forget)
    {
        try
        {
            _news.Signal();
            await _publish(Write);
            if (forget is { Space: { } space, Port: var port })
            {
                using var ns = _options.Open(space);
                using var flows = ConntrackTable.Open(ns);
                flows.Delete([.. flows.Entries(new ConntrackFilter { Protocol = port.Protocol, ReplySource = port.Address, ReplySourcePort = port.Port }).Where(f => !f.IsStanding)]);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException or NetlinkException or ObjectDisposedException or Model.Errors.ClusterException)
        {
            // The pass that failed has told why, and the next one has the same wish; a namespace that is gone has no flows.
        }
    }

    private void Remember()
    {
        lock (_gate)
        {
            if (_left)
            {
                return;
            }

            _memory.Write(
            [
                .. _book.Answered.Select(p => new Sign(p, true)),
                .. _book.Refusals.Where(r => r.Value.Out).Select(r => new Sign(r.Key, false)),
            ]);
        }
    }

    private BackendHealth Write(BackendHealth health)
    {
        var plan = _view().Plan;
        lock (_gate)
        {
            var refusing =
                from refusal in _book.Refusals
                where refusal.Value.Out
                let endpoint = _index.Find(plan, refusal.Key.Address)
                where endpoint is not null
                select new RefusingPort(endpoint.NetworkId, endpoint.ServiceId, refusal.Key.Address, refusal.Key.Protocol, refusal.Key.Port);
            var answering =
                from port in _book.Answered
                let endpoint = _index.Find(plan, port.Address)
                where endpoint is not null
                select new AnsweringPort(endpoint.NetworkId, endpoint.ServiceId, port.Protocol, port.Port);
            var (without, served) = (refusing.ToImmutableHashSet(), answering.ToImmutableHashSet());
            _last = _last with
            {
                Refusing = without.SetEquals(_last.Refusing) ? _last.Refusing : without,
                Answering = served.SetEquals(_last.Answering) ? _last.Answering : served,
            };
            return ReferenceEquals(health.Refusing, _last.Refusing) && ReferenceEquals(health.Answering, _last.Answering)
                ? health
                : health with { Refusing = _last.Refusing, Answering = _last.Answering };
        }
    }

    private static string ServiceOf(NodePlan plan, PlanEndpoint endpoint) =>
        plan.Networks.GetValueOrDefault(endpoint.NetworkId)?.Services.GetValueOrDefault(endpoint.ServiceId)?.Name ?? endpoint.ServiceId;

    private static string ProofOf(BackendPort port) =>
        port.Protocol == BackendPort.Udp ? "ICMP port unreachable" : "RST to a SYN";
}
