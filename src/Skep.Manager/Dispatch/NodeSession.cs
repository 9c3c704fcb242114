using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Skep.Protocol.Node;

namespace Skep.Manager.Dispatch;

/// <summary>The open line to one node: what it is to be told, and when it was last heard.</summary>
internal sealed class NodeSession(string nodeId, TimeProvider clock)
{
    private readonly Channel<ManagerMessage> _outbox = Channel.CreateUnbounded<ManagerMessage>(new UnboundedChannelOptions { SingleReader = true });
    private long _heard = clock.GetTimestamp();
    private ulong _applied;

    public string NodeId { get; } = nodeId;
    public TimeSpan Silence => clock.GetElapsedTime(Volatile.Read(ref _heard));

    /// <summary>The newest revision that the node has in its kernel.</summary>
    public ulong Applied
    {
        get => Volatile.Read(ref _applied);
        set => Volatile.Write(ref _applied, value);
    }

    /// <summary>How often the node put its kernel right since its daemon's start, as it said last; null before its first heartbeat.</summary>
    public ulong? Repairs { get; set; }

    /// <summary>What the node found wrong on its ways to others, as it said last; null = nothing.</summary>
    public string? Findings { get; set; }

    /// <summary>How far its kernel is behind what it was sent. Under the dispatcher's lock.</summary>
    public Lag Lag { get; } = new(clock);

    /// <summary>The store did not take the message of its status; the next heartbeat tries again.</summary>
    public bool MessageIsDue { get; set; }

    public void Heard() => Volatile.Write(ref _heard, clock.GetTimestamp());

    public void Send(ManagerMessage message)
    {
        if (message.KindCase == ManagerMessage.KindOneofCase.Assignments)
        {
            Lag.Sent(message.Assignments.Revision);
        }

        _outbox.Writer.TryWrite(message);
    }

    public void Close() => _outbox.Writer.TryComplete();

    /// <summary>Messages in order; assignments that wait behind one another become one.</summary>
    public async IAsyncEnumerable<ManagerMessage> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await _outbox.Reader.WaitToReadAsync(cancellationToken))
        {
            while (_outbox.Reader.TryRead(out var message))
            {
                while (message.KindCase == ManagerMessage.KindOneofCase.Assignments
                    && _outbox.Reader.TryPeek(out var next) && next.KindCase == ManagerMessage.KindOneofCase.Assignments
                    && !next.Assignments.Full)
                {
                    _outbox.Reader.TryRead(out _);
                    message.Assignments.Changes.AddRange(next.Assignments.Changes);
                    message.Assignments.Revision = next.Assignments.Revision;
                }

                yield return message;
            }
        }
    }
}
