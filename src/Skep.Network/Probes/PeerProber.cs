using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Skep.Model.Flow;
using Skep.Network.Desired;

namespace Skep.Network.Probes;

/// <summary>
/// Asks the ingress_sbox of every other node through the tunnels: whether its node is there, and what the way carries. Peers with
/// backends that are balanced here are asked five times a second, the others every few seconds.
/// </summary>
internal sealed class PeerProber(NodeNetworkOptions options, PeerReports reports, Func<NodeView> view, ILogger logger) : IDisposable
{
    private const int WatchedAtOnce = 64;
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_asleep = s_step * 2.5;
    private static readonly TimeSpan s_slow = TimeSpan.FromSeconds(5);

    // Every peer asks this node once in that time at least.
    private static readonly TimeSpan s_heard = s_slow * 1.2;
    private static readonly TimeSpan s_answerTime = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, PeerWatch> _watches = new(StringComparer.Ordinal);
    private readonly long _start = options.Clock.GetTimestamp();
    private (object? Plan, IReadOnlyList<ProbedPeer> Peers) _peers = (null, []);
    private ImmutableHashSet<IPAddress> _addresses = [];
    private ProbeSockets? _sockets;

    /// <summary>What is wrong on the ways from here, one sentence each, in order; published when it changes.</summary>
    public Watched<ImmutableArray<string>> Findings { get; } = new([], (next, now) => !next.SequenceEqual(now));

    private TimeSpan Now => options.Clock.GetElapsedTime(_start);

    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(s_step, options.Clock);
        var last = Now;
        TimeSpan? checkedAt = null;
        while (await timer.WaitForNextTickAsync(stopping))
        {
            var (node, now) = (view(), Now);
            var peers = Watch(node);
            if (peers.Count > 0 && (checkedAt is null || now - checkedAt > s_slow))
            {
                checkedAt = Ready(node) ? now : null;
            }

            if (now - last > s_asleep)
            {
                peers.ForEach(p => p.Liveness.Excuse());
            }

            last = now;
            if (_sockets is { } sockets)
            {
                Ask(sockets, peers, now, stopping);
            }
        }
    }

    /// <summary>The ways to all peers, for people.</summary>
    public IReadOnlyList<PeerPath> Describe()
    {
        lock (_gate)
        {
            return
            [
                .. _watches.Values.OrderBy(w => w.Peer.Name, StringComparer.Ordinal).Select(w => new PeerPath(
                    w.Peer.NodeId, w.Peer.Name, w.Liveness.Silent ? false : w.Liveness.EverAnswered ? true : null, w.Mtu?.Path, w.Finding)),
            ];
        }
    }

    public void Dispose() => _sockets?.Dispose();

    private List<PeerWatch> Watch(NodeView node)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_peers.Plan, node.Plan))
            {
                _peers = (node.Plan, ProbedPeer.Of(node.Plan));
                _addresses = [.. _peers.Peers.Select(p => p.Ingress)];
                foreach (var gone in _watches.Keys.Except(_peers.Peers.Select(p => p.NodeId), StringComparer.Ordinal).ToList())
                {
                    _watches.Remove(gone);
                    _ = reports.AnswersAsync(gone);
                }

                foreach (var peer in _peers.Peers)
                {
                    if (_watches.TryGetValue(peer.NodeId, out var known) && known.Peer.Vtep.Equals(peer.Vtep))
                    {
                        known.Is(peer);
                    }
                    else
                    {
                        // It may be an earlier daemon that has left its backends out.
                        _watches[peer.NodeId] = new PeerWatch(peer, node.Health.SilentNodes.Contains(peer.NodeId) ? PeerLiveness.SilentAt(Now) : new PeerLiveness());
                    }
                }

                PublishFindings();
            }

            return [.. _watches.Values];
        }
    }

    private bool Ready(NodeView node)
    {
        try
        {
            var own = node.Plan.Networks.Values.FirstOrDefault(n => n.Network.Ingress)?.Peers.GetValueOrDefault(node.Plan.NodeId)?.IngressAddress;
            if (own is null)
            {
                return false;
            }

            var address = Addressing.AddressOf(own);
            if (_sockets?.Fit(options, address) != true)
            {
                _sockets?.Dispose();
                _sockets = null;
                _sockets = ProbeSockets.Open(options, address, Heard, a => Volatile.Read(ref _addresses).Contains(a));
            }

            return true;
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            logger.CannotAsk(failure.Message);
            return false;
        }
    }

    private void Heard(IPAddress sender)
    {
        lock (_gate)
        {
            foreach (var watch in _watches.Values.Where(w => w.Peer.Ingress.Equals(sender)))
            {
                watch.Heard = Now;
            }
        }
    }

    private void Ask(ProbeSockets sockets, List<PeerWatch> peers, TimeSpan now, CancellationToken stopping)
    {
        var watched = peers.Count(p => p.Peer.Watched);
        var fast = s_step * Math.Max(1, (watched + WatchedAtOnce - 1) / WatchedAtOnce);
        foreach (var watch in peers)
        {
            if (watch.NextQuestion <= now)
            {
                watch.NextQuestion = now + (watch.Peer.Watched || watch.Liveness.Silent ? fast - (s_step / 2) : s_slow);
                Ask(sockets, watch, now, stopping);
            }

            if (watch.NextSurvey <= now && !watch.Surveying)
            {
                watch.Surveying = true;
                watch.NextSurvey = now + options.SurveyPeriod;
                _ = SurveyAsync(sockets, watch, stopping);
            }
        }
    }

    private void Ask(ProbeSockets sockets, PeerWatch watch, TimeSpan now, CancellationToken stopping)
    {
        bool turned;
        lock (_gate)
        {
            turned = watch.Liveness.Ask(now);
        }

        if (turned)
        {
            logger.PeerSilent(watch.Peer.Name, (now - watch.Liveness.SilentSince!.Value).TotalSeconds);
            (watch.NextSurvey, watch.NextReminder) = (now, now);
        }

        if (watch.Liveness.SilentSince is { } since && watch.NextReminder <= now)
        {
            // After half of the time that it has lasted, so that a long silence costs little.
            watch.NextReminder = now + TimeSpan.FromTicks(Math.Max((now - since).Ticks / 2, s_step.Ticks * 5));
            _ = reports.SilentAsync(watch.Peer.NodeId);
        }

        _ = AskAsync(sockets, watch, now, stopping);
    }

    private async Task AskAsync(ProbeSockets sockets, PeerWatch watch, TimeSpan asked, CancellationToken stopping)
    {
        try
        {
            if (!await sockets.Tunnel.AskAsync(watch.Peer.Ingress, 84, s_answerTime, stopping))
            {
                return;
            }

            TimeSpan? since;
            bool returned;
            lock (_gate)
            {
                since = watch.Liveness.SilentSince;
                returned = watch.Liveness.Answer(asked, Now);
            }

            if (returned)
            {
                logger.PeerReturned(watch.Peer.Name, (Now - since!.Value).TotalSeconds);
                watch.NextSurvey = TimeSpan.Zero;
                await reports.AnswersAsync(watch.Peer.NodeId);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // No way out, or the sockets are of an ingress_sbox that is no more: unanswered.
        }
    }

    private async Task SurveyAsync(ProbeSockets sockets, PeerWatch watch, CancellationToken stopping)
    {
        try
        {
            var node = view();
            var survey = new PeerSurvey(sockets, watch.Peer, stopping);
            await MeasureAsync(survey, watch);
            var ingress = new NetworkView(node, node.Plan.Networks.Values.First(n => n.Network.Ingress).Network);
            var signs = await survey.RunAsync(() => Now - watch.Heard < s_heard, ingress.Mtu);
            Tell(watch, PeerFinding.Of(signs, watch.Peer.Name, watch.Peer.Vtep, node.Plan.DataPathPort, ingress.Mtu, reports.Link().Name));
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
        {
        }
        catch (Exception failure)
        {
            logger.SurveyFailed(failure, watch.Peer.Name);
        }
        finally
        {
            watch.Surveying = false;
        }
    }

    // What passed before is tried first; the search is for when it no longer does, and once a minute for when more would.
    private async Task MeasureAsync(PeerSurvey survey, PeerWatch watch)
    {
        var link = reports.Link().Mtu;
        if (watch.Mtu is { } known && known.Link == link && await survey.PassesAsync(known.Path)
            && (known.Path == link || Now - watch.Searched < options.SurveyPeriod * 12))
        {
            watch.Narrower = null;
            return;
        }

        watch.Searched = Now;
        if (await survey.FindMtuAsync(link) is { } found)
        {
            var before = watch.Mtu?.Path ?? link;
            if (!watch.IsSure(found, before))
            {
                watch.NextSurvey = Now;
                return;
            }

            watch.Mtu = (found, link);
            if (found != before)
            {
                logger.PathMtu(watch.Peer.Name, found, before);
            }

            await reports.MtuAsync(watch.Peer.NodeId, found);
        }
    }

    // One lost frame is no finding: it is told when two surveys saw it, and taken back by one that does not.
    private void Tell(PeerWatch watch, string? finding)
    {
        lock (_gate)
        {
            var sure = finding is null || finding == watch.Suspicion ? finding : watch.Finding;
            watch.Suspicion = finding;
            if (sure == watch.Finding)
            {
                return;
            }

            if (sure is null)
            {
                logger.PeerRight(watch.Peer.Name);
            }
            else
            {
                logger.PeerFound(watch.Peer.Name, sure);
            }

            watch.Finding = sure;
            // Under the lock: of two surveys that end together the later must have the last word.
            PublishFindings();
        }
    }

    private void PublishFindings() =>
        Findings.TryPublish([.. _watches.Values.Select(w => w.Finding).OfType<string>().Order(StringComparer.Ordinal)]);
}
