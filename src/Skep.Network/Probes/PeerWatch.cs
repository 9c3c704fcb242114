namespace Skep.Network.Probes;

/// <summary>What is known of the way to one peer. Used under the prober's lock.</summary>
internal sealed class PeerWatch(ProbedPeer peer, PeerLiveness liveness)
{
    public ProbedPeer Peer { get; set; } = peer;
    public PeerLiveness Liveness { get; } = liveness;
    public TimeSpan NextQuestion { get; set; }
    public TimeSpan NextSurvey { get; set; }
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

    /// <summary>A way that loses packets looks narrow, each time another. It has become so when two searches in a row find the same.</summary>
    public bool IsSure(int found, int before)
    {
        var sure = found >= before || found == Narrower;
        Narrower = sure ? null : found;
        return sure;
    }
}
