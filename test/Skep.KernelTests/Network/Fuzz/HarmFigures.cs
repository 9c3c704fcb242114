namespace Skep.KernelTests.Network.Fuzz;

/// <summary>What one kind of harm came to, of those that were done alone.</summary>
internal sealed class HarmFigures
{
    private readonly List<TimeSpan> _repairs = [];
    private readonly List<TimeSpan> _misled = [];
    private readonly HashSet<Harm> _none = [];
    private TimeSpan _right;

    /// <param name="harm">What was done.</param>
    /// <param name="repaired">From the harm to the last repair that it needed; null: nothing had to be repaired.</param>
    /// <param name="right">How long it then took until every way answered.</param>
    /// <param name="misled">From the harm to the end of each wrong answer.</param>
    public void Add(Harm harm, TimeSpan? repaired, TimeSpan right, IEnumerable<TimeSpan> misled)
    {
        if (repaired is { } time)
        {
            _repairs.Add(time < TimeSpan.Zero ? TimeSpan.Zero : time);
        }
        else
        {
            _none.Add(harm);
        }

        _right = right > _right ? right : _right;
        _misled.AddRange(misled);
    }

    public override string ToString()
    {
        var (sorted, none) = (_repairs.Order().ToList(), _none.Count > 0 ? $", none needed after {string.Join(" | ", _none)}" : "");
        var repairs = sorted.Count == 0 ? "none repaired" : $"{sorted.Count} repaired, half within {sorted[sorted.Count / 2].TotalMilliseconds:0} ms, all within {sorted[^1].TotalMilliseconds:0} ms";
        var misled = _misled.Count == 0 ? "nobody misled" : $"{_misled.Count} misled, the last after {_misled.Max().TotalMilliseconds:0} ms";
        return $"{repairs}{none}; {misled}; all ways answered once in {_right.TotalMilliseconds:0} ms at most";
    }
}
