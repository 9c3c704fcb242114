namespace Skep.Manager.Dispatch;

/// <summary>
/// How far a node's kernel is behind what the node was sent. One revision at a time is awaited, so it costs nothing to send many; a node
/// that follows a busy swarm step by step is not behind. Used by one thread at a time.
/// </summary>
internal sealed class Lag(TimeProvider clock)
{
    private ulong _applied;
    private ulong _sent;
    private long _since;

    // 0 = nothing is awaited.
    private ulong _awaited;

    /// <summary>In words for people, the same until the node has caught up; null = it is not behind.</summary>
    public string? Message { get; private set; }

    public void Sent(ulong revision)
    {
        _sent = revision;
        Await();
    }

    /// <summary>True when the node was behind and is not any more.</summary>
    public bool Applied(ulong revision)
    {
        _applied = revision;
        if (_awaited == 0 || revision < _awaited)
        {
            return false;
        }

        var caughtUp = Message is not null;
        (Message, _awaited) = (null, 0);
        Await();
        return caughtUp;
    }

    /// <summary>The revisions applied and wanted when the node is behind from now on; null when that is no news.</summary>
    public (ulong Applied, ulong Wanted)? Look(TimeSpan patience)
    {
        if (_awaited == 0 || Message is not null || clock.GetElapsedTime(_since) <= patience)
        {
            return null;
        }

        _awaited = _sent;
        Message = $"its network is behind: revision {_applied} is applied, {_awaited} was sent";
        return (_applied, _awaited);
    }

    private void Await()
    {
        if (_awaited == 0 && _applied < _sent)
        {
            (_awaited, _since) = (_sent, clock.GetTimestamp());
        }
    }
}
