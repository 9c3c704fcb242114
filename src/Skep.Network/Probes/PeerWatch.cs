namespace Skep.Network.Probes;

/// <summary>What is known of the way to one peer. Used under the prober's lock.</summary>
internal sealed class PeerWatch(ProbedPeer peer)
{
    public ProbedPeer Peer { get; set; } = peer;
    public PeerLiveness Liveness { get; } = new();
    public TimeSpan NextQuestion { get; set; }
    public TimeSpan NextSurvey { get; set; }
    public bool Surveying { get; set; }

    /// <summary>When the last of its frames arrived.</summary>
    public TimeSpan? Heard { get; set; }

    /// <summary>Bytes that the way carries, and the link's own when that was found out.</summary>
    public (int Path, int Link)? Mtu { get; set; }

    /// <summary>When a larger packet was tried last.</summary>
    public TimeSpan Searched { get; set; }

    /// <summary>What the last survey found; told when the next one finds it as well.</summary>
    public string? Suspicion { get; set; }

    public string? Finding { get; set; }
}
