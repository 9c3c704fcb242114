using System.Globalization;
using Skep.Agent.Runtime;

namespace Skep.Daemon.Http.Containers;

/// <summary>A snapshot in Docker's words.</summary>
internal static class SnapshotFacts
{
    public static bool IsRunning(this ContainerSnapshot container) => container.State is ContainerState.Running or ContainerState.Paused;

    public static string StateWord(this ContainerSnapshot container) => container.State switch
    {
        ContainerState.Created => "created",
        ContainerState.Running => "running",
        ContainerState.Paused => "paused",
        ContainerState.Exited => "exited",
        _ => "dead",
    };

    /// <summary>The image's labels and the recipe's.</summary>
    public static IReadOnlyDictionary<string, string> Labels(this ContainerSnapshot container) =>
        container.Config.Labels.Count > 0 ? container.Config.Labels : container.Recipe.Labels;

    /// <summary>none, starting, healthy or unhealthy.</summary>
    public static string HealthWord(this ContainerSnapshot container) => container.Health?.Status is { Length: > 0 } status ? status : "none";

    /// <summary>The words of the STATUS column: Up 3 minutes (healthy), Exited (0) 2 hours ago.</summary>
    public static string StatusText(this ContainerSnapshot container, DateTimeOffset now) => container.State switch
    {
        ContainerState.Created => "Created",
        ContainerState.Dead => "Dead",
        ContainerState.Exited => string.Create(
            CultureInfo.InvariantCulture, $"Exited ({container.ExitCode}) {HumanDuration(now - (container.FinishedAt ?? now))} ago"),
        ContainerState.Paused => $"Up {HumanDuration(now - (container.StartedAt ?? now))} (Paused)",
        _ => $"Up {HumanDuration(now - (container.StartedAt ?? now))}{HealthSuffix(container)}",
    };

    /// <summary>One unit, rounded as Docker does it: "Less than a second", "About an hour", "3 weeks".</summary>
    public static string HumanDuration(TimeSpan span)
    {
        var seconds = (long)span.TotalSeconds;
        var hours = (long)(span.TotalHours + 0.5);
        return (seconds, (long)span.TotalMinutes, hours) switch
        {
            ( < 1, _, _) => "Less than a second",
            (1, _, _) => "1 second",
            ( < 60, _, _) => $"{seconds} seconds",
            (_, 1, _) => "About a minute",
            (_, < 60 and var minutes, _) => $"{minutes} minutes",
            (_, _, 1) => "About an hour",
            (_, _, < 48) => $"{hours} hours",
            (_, _, < 24 * 14) => $"{hours / 24} days",
            (_, _, < 24 * 60) => $"{hours / 24 / 7} weeks",
            (_, _, < 24 * 365 * 2) => $"{hours / 24 / 30} months",
            _ => $"{(long)span.TotalHours / 24 / 365} years",
        };
    }

    private static string HealthSuffix(ContainerSnapshot container) => container.HealthWord() switch
    {
        "none" => "",
        "starting" => " (health: starting)",
        var word => $" ({word})",
    };
}
