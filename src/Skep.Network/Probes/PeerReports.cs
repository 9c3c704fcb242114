namespace Skep.Network.Probes;

/// <summary>What the prober asks of the node's network and tells it.</summary>
/// <param name="Link">This node's own link to the underlay.</param>
/// <param name="SilentAsync">A node, by id, does not answer any more.</param>
/// <param name="AnswersAsync">It does again, or is no peer any more.</param>
/// <param name="MtuAsync">Bytes that the way to a node carries.</param>
internal sealed record PeerReports(Func<(string Name, int Mtu)> Link, Func<string, Task> SilentAsync, Func<string, Task> AnswersAsync, Func<string, int, Task> MtuAsync);
