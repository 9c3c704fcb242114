using System.Collections.Immutable;

namespace Skep.Model.Rules.Labels;

/// <summary>How the service's tasks come into balancing and leave it.</summary>
public sealed record LifeLabels
{
    private static readonly TimeSpan s_longest = TimeSpan.FromHours(1);

    /// <summary>How long a task that is to stop waits for its connections to end; zero: not at all.</summary>
    public TimeSpan DrainGrace { get; private init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a started task may take until its ports listen; after that it gets its flows all the same.</summary>
    public TimeSpan ReadyTimeout { get; private init; } = TimeSpan.FromSeconds(10);

    /// <summary>An unhealthy task gets no new flows and lives on, instead of being replaced.</summary>
    public bool KeepsUnhealthy { get; private init; }

    /// <summary>Of a task, which has its service's labels as they were when it was made.</summary>
    public static LifeLabels Of(IReadOnlyDictionary<string, string>? labels) =>
        labels is null ? new LifeLabels() : Read(new LabelReader(labels, ImmutableArray.CreateBuilder<Problem>()));

    internal static LifeLabels Read(LabelReader reader)
    {
        var usual = new LifeLabels();
        return new LifeLabels
        {
            DrainGrace = reader.Wait(LabelNames.DrainGrace, usual.DrainGrace, s_longest),
            ReadyTimeout = reader.Wait(LabelNames.ReadyTimeout, usual.ReadyTimeout, s_longest),
            KeepsUnhealthy = reader.Choice(LabelNames.Unhealthy, false, ("replace", false), ("keep", true)),
        };
    }
}
