using Skep.Model.Specs;

namespace Skep.Agent.Tasks;

/// <summary>Which published ports tell by their listening that a task is ready.</summary>
internal static class ReadinessPorts
{
    /// <summary>A run of so many consecutive ports is a range, of which programs open single ports when they need them (RTP, passive FTP).</summary>
    private const int LeastRange = 4;

    public static IReadOnlyList<PortConfig> Of(IReadOnlyList<PortConfig> published)
    {
        var ports = published.Where(p => p.TargetPort > 0 && p.Protocol is null or "" or "tcp" or "udp").ToList();
        var ranges = ports.GroupBy(p => p.Protocol == "udp").SelectMany(g => Ranges([.. g.Select(p => p.TargetPort).Distinct().Order()], g.Key)).ToHashSet();
        return [.. ports.Where(p => !ranges.Contains((p.Protocol == "udp", p.TargetPort)))];
    }

    private static IEnumerable<(bool Udp, uint Port)> Ranges(uint[] ports, bool udp)
    {
        for (var from = 0; from < ports.Length;)
        {
            var to = from + 1;
            while (to < ports.Length && ports[to] == ports[to - 1] + 1)
            {
                to++;
            }

            if (to - from >= LeastRange)
            {
                foreach (var port in ports[from..to])
                {
                    yield return (udp, port);
                }
            }

            from = to;
        }
    }
}
