using System.Collections.Immutable;
using Skep.Model.Errors;
using Skep.Model.Flow;

namespace Skep.Network;

/// <summary>Lets callers wait until the kernel holds what they asked for.</summary>
internal sealed class PassGate
{
    private const int Patience = 5;
    private readonly Watched<Pass> _last = new(new Pass(0, 0, ImmutableDictionary<string, Exception>.Empty), (next, now) => next.Number > now.Number);

    /// <summary>A pass ended that had seen all wishes up to <paramref name="wish"/>.</summary>
    public void Ended(long wish, ImmutableDictionary<string, Exception> failed) =>
        _last.TryPublish(new Pass(_last.Value.Number + 1, wish, failed));

    /// <summary>
    /// Waits for a pass with that wish in which none of the named namespaces failed. After several failures the caller gets the
    /// reason; the passes go on.
    /// </summary>
    public async Task WaitAsync(long wish, Func<string, bool> concerns, CancellationToken cancellationToken)
    {
        var seen = 0L;
        for (var attempt = 1; ; attempt++)
        {
            var pass = await _last.WaitAsync(p => p.Number > seen && p.Wish >= wish, cancellationToken);
            var failures = pass.Failed.Where(f => concerns(f.Key)).ToList();
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

    private sealed record Pass(long Number, long Wish, ImmutableDictionary<string, Exception> Failed);
}
