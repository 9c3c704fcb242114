namespace Skep.Manager.Dispatch;

/// <summary>How the managers keep in touch with the nodes. The period itself is the cluster's setting.</summary>
public sealed class DispatcherOptions
{
    public const string Section = "dispatcher";

    /// <value>Heartbeats that a node sends in one period. The default is 5: one each second with the default period of 5 s.</value>
    public int BeatsPerPeriod { get; init; } = 5;

    /// <value>Periods without a sign after which a node is down. The default is 1.5; below 1 a busy node would flap.</value>
    public double PeriodsUntilDown { get; init; } = 1.5;
}
