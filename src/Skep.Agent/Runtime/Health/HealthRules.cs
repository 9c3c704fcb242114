using System.Globalization;

namespace Skep.Agent.Runtime.Health;

/// <summary>What a probe's result means for a container's health; pure.</summary>
public static class HealthRules
{
    /// <summary>
    /// One success makes healthy; <paramref name="retries"/> failures in a row make unhealthy, but failures while the container may
    /// still be starting do not count.
    /// </summary>
    public static ContainerHealth Next(ContainerHealth? before, HealthProbe probe, int retries, bool inStartPeriod, int kept)
    {
        IReadOnlyList<HealthProbe> log = [.. (before?.Log ?? []).TakeLast(kept - 1), probe];
        var status = before?.Status ?? "starting";
        if (probe.ExitCode == 0)
        {
            return new ContainerHealth("healthy", 0, log);
        }

        if (status == "starting" && inStartPeriod)
        {
            return new ContainerHealth(status, before?.FailingStreak ?? 0, log);
        }

        var streak = (before?.FailingStreak ?? 0) + 1;
        return new ContainerHealth(streak >= retries ? "unhealthy" : status, streak, log);
    }

    /// <summary>Nanoseconds; null and zero take the default.</summary>
    public static TimeSpan Duration(long? nanoseconds, TimeSpan fallback) => nanoseconds is > 0 ? TimeSpan.FromTicks(Math.Max(1, nanoseconds.Value / 100)) : fallback;

    /// <summary>As Go prints it: 30s, 1m30s, 500ms.</summary>
    public static string Text(TimeSpan time) => time < TimeSpan.FromSeconds(1)
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds}ms")
        : time < TimeSpan.FromMinutes(1)
            ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds}s")
            : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes}m{time.Seconds}s");
}
