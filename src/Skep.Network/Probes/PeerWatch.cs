namespace Skep.Network.Probes;

/// <summary>What is known of the way to one peer. Used under the prober's lock.</summary>
internal sealed class PeerWatch(ProbedPeer peer, PeerLiveness liveness)
{
    public ProbedPeer Peer { get; private set; } = peer;
    public PeerLiveness Liveness { get; } = liveness;
    public TimeSpan NextQuestion { get; set; }
    public TimeSpan NextSurvey { get; set; }

    /// <summary>When its silence is told again: clients end connections meanwhile, and the kernel's memory of these is in the way of new ones.</summary>
    public TimeSpan NextReminder { get; set; }
    public bool Surveying { get; set; }

    /// <summary>When the last of its frames arrived.</summary>
    public TimeSpan? Heard { get; set; }

    /// <summary>Bytes that the way carries, and the link's own when that was found out.</summary>
    public (int Path, int Link)? Mtu { get; set; }

    /// <summary>What the last search found when that was less than before.</summary>
    public int? Narrower { get; set; }

    /// <summary>When a larger packet was tried last.</summary>
    public TimeSpan Searched { get; set; }

    /// <summary>What the last survey found; told when the next one finds it as well.</summary>
    public string? Suspicion { get; set; }

    public string? Finding { get; set; }

    /// <summary>What the newer plan says of the peer. One that gets the first of its backends is asked at once: its turn may be seconds away, and flows depend on it.</summary>
    public void Is(ProbedPeer peer)
    {
        NextQuestion = peer.Watched && !Peer.Watched ? TimeSpan.Zero : NextQuestion;
        Peer = peer;
    }

    /// <summary>A way that loses packets looks narrow, each time another. It has become so when two searches in a row find the same.</summary>
    public bool IsSure(int found, int before)
    {
        var sure = found >= before || found == Narrower;
        Narrower = sure ? null : found;
        return sure;
    }
}
