using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.States;

namespace Skep.Manager.Dispatch;

/// <summary>What the managers know of a living node's network: its repairs, what it found, and how far it is behind.</summary>
public sealed partial class Dispatcher
{
    /// <summary>How often a node put its kernel right since its daemon's start; null when it has not told here.</summary>
    public ulong? RepairsOf(string nodeId)
    {
        lock (_gate)
        {
            return _sessions.GetValueOrDefault(nodeId)?.Repairs;
        }
    }

    private void TakeHeartbeat(NodeSession session, ulong repairs)
    {
        (ulong Applied, ulong Wanted)? behind;
        ulong? before;
        lock (_gate)
        {
            behind = session.Lag.Look(options.LagPatience);
            (before, session.Repairs) = (session.Repairs, repairs);
        }

        if (repairs > before)
        {
            log.NodeRepaired(session.NodeId, HostnameOf(session.NodeId), repairs - before.Value, repairs);
        }

        if (behind is { } lag)
        {
            log.NodeBehind(session.NodeId, HostnameOf(session.NodeId), lag.Applied, lag.Wanted, options.LagPatience.TotalSeconds);
        }

        if (behind is not null || session.MessageIsDue)
        {
            _ = WriteMessageAsync(session);
        }
    }

    /// <summary>What a node found wrong with its ways to others, and that it is behind, is its status' message, for <c>docker node inspect</c>.</summary>
    private async Task WriteMessageAsync(NodeSession session)
    {
        session.MessageIsDue = false;
        try
        {
            await store.EditNodeAsync(
                session.NodeId,
                node =>
                {
                    // Two writes may overtake one another; each writes the newest.
                    var message = MessageOf(session);
                    return !IsPresent(session) || node.Status.State != NodeState.Ready || node.Status.Message == message
                        ? null
                        : node with { Status = node.Status with { Message = message }, UpdatedAt = clock.GetUtcNow() };
                },
                CancellationToken.None);
        }
        catch (ClusterException e)
        {
            session.MessageIsDue = true;
            log.MessageUnwritten(session.NodeId, e.Message);
        }
    }

    private string? MessageOf(NodeSession session)
    {
        lock (_gate)
        {
            return (session.Lag.Message, session.Findings) switch
            {
                (null, var findings) => findings,
                (var lag, null) => lag,
                var (lag, findings) => $"{lag}; {findings}",
            };
        }
    }

    private string HostnameOf(string nodeId) => store.Current.Nodes.GetValueOrDefault(nodeId)?.Description?.Hostname ?? "";

    private bool IsPresent(NodeSession session)
    {
        lock (_gate)
        {
            return _sessions.GetValueOrDefault(session.NodeId) == session;
        }
    }
}
