namespace Skep.Network.Probes;

/// <summary>The way from this node to another, for people.</summary>
/// <param name="NodeId">The other node.</param>
/// <param name="Name">Its hostname.</param>
/// <param name="Answers">Through the tunnel; null = not asked long enough to know.</param>
/// <param name="Mtu">Bytes that a packet between the two nodes may have; null = not known yet.</param>
/// <param name="Finding">What is wrong, and the remedy; null = nothing.</param>
public sealed record PeerPath(string NodeId, string Name, bool? Answers, int? Mtu, string? Finding);
