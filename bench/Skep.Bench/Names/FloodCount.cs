using System.Diagnostics;

namespace Skep.Bench.Names;

/// <summary>What a flood of questions has seen so far.</summary>
internal sealed class FloodCount
{
    private const double PerSecond = 1e6;

    // Microseconds until the answer; the last one takes all that are longer.
    private readonly int[] _latencies = new int[1_000_000];

    public long Asked { get; set; }
    public long Answers { get; private set; }
    public long Wrong { get; private set; }
    public long Lost { get; set; }
    public long Strays { get; set; }

    public void Heard(long ticks, bool right)
    {
        Answers++;
        Wrong += right ? 0 : 1;
        _latencies[Math.Min(_latencies.Length - 1, (int)(ticks * PerSecond / Stopwatch.Frequency))]++;
    }

    /// <summary>Seconds within which that part of the answers came; NaN when none did.</summary>
    public double Within(double part)
    {
        var rest = (long)(Answers * part);
        for (var i = 0; i < _latencies.Length && Answers > 0; i++)
        {
            rest -= _latencies[i];
            if (rest < 0)
            {
                return i / PerSecond;
            }
        }

        return double.NaN;
    }
}
