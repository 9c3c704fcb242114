using System.Globalization;

namespace Skep.Bench.Measuring;

/// <summary>What a process holds in memory, in MiB: resident, and its own share of pages that others map too (proc(5), smaps_rollup).</summary>
public readonly record struct Memory(double Resident, double Share)
{
    /// <summary>Null when the process is gone.</summary>
    public static Memory? Of(int process)
    {
        try
        {
            var (resident, share) = (0.0, 0.0);
            foreach (var line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/smaps_rollup")))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                (resident, share) = words[0] switch
                {
                    "Rss:" => (MiB(words[1]), share),
                    "Pss:" => (resident, MiB(words[1])),
                    _ => (resident, share),
                };
            }

            return new Memory(resident, share);
        }
        catch (IOException)
        {
            return null;
        }

        static double MiB(string kilobytes) => double.Parse(kilobytes, CultureInfo.InvariantCulture) / 1024;
    }
}
