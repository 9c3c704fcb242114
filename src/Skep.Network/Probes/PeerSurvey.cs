using System.Net.Sockets;

namespace Skep.Network.Probes;

/// <summary>Looks at the way to one peer with frames of several kinds and sizes.</summary>
internal sealed class PeerSurvey(ProbeSockets sockets, ProbedPeer peer, CancellationToken cancellationToken)
{
    private const int Small = 84;

    // Sent twice before it counts as lost.
    private const int Attempts = 2;

    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(400);

    /// <param name="heard">Whether frames of the peer arrived lately, asked for at the end.</param>
    /// <param name="overlayMtu">Bytes of the largest packet on the ingress network.</param>
    public async Task<PeerSigns> RunAsync(Func<bool> heard, int overlayMtu)
    {
        var underlay = TryAsync(() => sockets.Underlay.AskAsync(peer.Vtep, Small, s_patience, cancellationToken));
        var tunnel = await TryAsync(() => sockets.Tunnel.AskAsync(peer.Ingress, Small, s_patience, cancellationToken));
        if (!tunnel)
        {
            return new PeerSigns { Tunnel = false, Underlay = await underlay, Heard = heard() };
        }

        var full = TryAsync(() => sockets.Tunnel.AskAsync(peer.Ingress, overlayMtu, s_patience, cancellationToken));
        bool? summed = await TryAsync(() => sockets.Datagrams.AskAsync(peer.Ingress, summed: true, s_patience, cancellationToken));
        if (summed == false && !await TryAsync(() => sockets.Datagrams.AskAsync(peer.Ingress, summed: false, s_patience, cancellationToken)))
        {
            summed = null;
        }

        return new PeerSigns { Tunnel = true, Underlay = await underlay, Heard = heard(), Full = await full, Summed = summed };
    }

    /// <summary>Whether packets of this size reach the peer's node on the underlay.</summary>
    public Task<bool> PassesAsync(int size) => TryAsync(() => sockets.Underlay.AskAsync(peer.Vtep, size, s_patience, cancellationToken));

    /// <summary>The largest packet that reaches the peer's node; null when not even small ones are answered on the underlay.</summary>
    public async Task<int?> FindMtuAsync(int linkMtu)
    {
        if (!await PassesAsync(Small))
        {
            return null;
        }

        var search = new PathMtuSearch(peer.Vtep.AddressFamily == AddressFamily.InterNetwork ? 576 : 1280, linkMtu);
        while (search.Next is { } size)
        {
            search.Tried(size, await PassesAsync(size));
        }

        return search.Found;
    }

    private static async Task<bool> TryAsync(Func<Task<bool>> ask)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                if (await ask())
                {
                    return true;
                }
            }
            catch (SocketException)
            {
                // No way there, or an ICMP error that came back: not answered.
            }
        }

        return false;
    }
}
