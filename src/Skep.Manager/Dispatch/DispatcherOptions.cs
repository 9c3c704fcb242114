namespace Skep.Manager.Dispatch;

/// <summary>How the managers keep in touch with the nodes. The period itself is the cluster's setting.</summary>
public sealed class DispatcherOptions
{
    public const string Section = "dispatcher";

    /// <value>Heartbeats that a node sends in one period. The default is 5: one each second with the default period of 5 s.</value>
    public int BeatsPerPeriod { get; init; } = 5;

    /// <value>Periods without a sign after which a node is down. The default is 1.5; below 1 a busy node would flap.</value>
    public double PeriodsUntilDown { get; init; } = 1.5;

    /// <value>How long a node may take to apply what it was sent before it is called behind. The default is 5 s; nodes need milliseconds.</value>
    public TimeSpan LagPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <value>How long a task that is to stop waits for nodes to confirm that they send it nothing new. The default is 2 s; nodes need milliseconds.</value>
    public TimeSpan DrainPatience { get; init; } = TimeSpan.FromSeconds(2);

    /// <value>The same after a start of the manager, when its nodes have yet to call. The default is 6 s: they try every 4 s at the longest.</value>
    public TimeSpan ReturnPatience { get; init; } = TimeSpan.FromSeconds(6);
}
