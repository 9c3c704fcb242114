using System.Collections.Immutable;
using Skep.Model.Errors;
using Skep.Model.Flow;

namespace Skep.Network;

/// <summary>Lets callers wait until the kernel holds what they asked for.</summary>
internal sealed class PassGate
{
    private const int Patience = 5;
    private static readonly ImmutableDictionary<string, Exception> s_none = ImmutableDictionary<string, Exception>.Empty;
    private readonly Watched<Pass> _last = new(new Pass(0, 0, s_none, s_none), (next, now) => next.Number > now.Number);

    /// <summary>A pass ended that had seen all wishes up to <paramref name="wish"/>.</summary>
    /// <param name="wish">The number of the last.</param>
    /// <param name="failed">What the kernel refused, by namespace.</param>
    /// <param name="waiting">Why containers' namespaces were not begun with, by namespace.</param>
    public void Ended(long wish, ImmutableDictionary<string, Exception> failed, ImmutableDictionary<string, Exception> waiting) =>
        _last.TryPublish(new Pass(_last.Value.Number + 1, wish, failed, waiting));

    /// <summary>Waits for a pass with that wish that did all that it began.</summary>
    public Task WaitAsync(long wish, CancellationToken cancellationToken) => WaitAsync(wish, p => p.Failed, cancellationToken);

    /// <summary>
    /// Waits for a pass with that wish in which none of the named namespaces failed or had to wait. After several failures the caller gets the
    /// reason; the passes go on.
    /// </summary>
    public Task WaitAsync(long wish, Func<string, bool> concerns, CancellationToken cancellationToken) =>
        WaitAsync(wish, p => p.Failed.Concat(p.Waiting).Where(f => concerns(f.Key)), cancellationToken);

    private async Task WaitAsync(long wish, Func<Pass, IEnumerable<KeyValuePair<string, Exception>>> against, CancellationToken cancellationToken)
    {
        var seen = 0L;
        for (var attempt = 1; ; attempt++)
        {
            var pass = await _last.WaitAsync(p => p.Number > seen && p.Wish >= wish, cancellationToken);
            var failures = against(pass).ToList();
            if (failures.Count == 0)
            {
                return;
            }

            if (attempt == Patience)
            {
                throw new ClusterException(ErrorKind.Internal, $"the network is not ready: {failures[0].Value.Message}", failures[0].Value);
            }

            seen = pass.Number;
        }
    }

    private sealed record Pass(long Number, long Wish, ImmutableDictionary<string, Exception> Failed, ImmutableDictionary<string, Exception> Waiting);
}
