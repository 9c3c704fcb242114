using Skep.Agent.Runtime;
using Skep.Model.Flow;
using Skep.Model.Objects;
using Skep.Model.Rules.Labels;
using Skep.Model.Specs;
using Skep.Network;
using Skep.Protocol.Node;

namespace Skep.Agent.Tasks;

/// <summary>
/// A task's way into balancing and out of it: it counts as running when its ports listen, and is stopped when nobody sends it anything
/// new and its flows have ended. Every wait has an end.
/// </summary>
internal sealed class TaskBalance(SwarmTask task, string containerId, TaskContext context)
{
    /// <summary>How long the managers may take to say who has confirmed. They wait 2 s for nodes; this leaves time for a manager to start again.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(15);

    /// <summary>A request in a datagram leaves no trace until it is answered: this long after the last node confirmed it is.</summary>
    public static readonly TimeSpan DatagramsSettle = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan s_longestLinger = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_firstLook = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_laterLooks = TimeSpan.FromMilliseconds(100);

    /// <summary>A program that listens waits at most this part of its own start for somebody to see it.</summary>
    private const int StartPart = 8;

    private readonly Watched<DrainedTask?> _word = new(null, (_, _) => true);
    private readonly LifeLabels _labels = LifeLabels.Of(task.ServiceLabels);

    /// <summary>What the task has published and must listen at before it gets flows.</summary>
    public IReadOnlyList<PortConfig> Ports { get; } = ReadinessPorts.Of(task.Endpoint?.Ports ?? []);

    /// <summary>An unhealthy task lives on without flows: its service says so, or has nobody to replace it.</summary>
    public bool KeepsUnhealthy => _labels.KeepsUnhealthy || task.Spec.RestartPolicy?.Condition == "none";

    /// <summary>The managers say who sends nothing new to the task any more.</summary>
    public void Told(DrainedTask word) => _word.TryPublish(word);

    /// <summary>The task takes flows again; what was said before is of no use.</summary>
    public void Reset() => _word.TryPublish(null);

    /// <summary>Returns when all published ports listen, when that takes too long, or when the container has ended.</summary>
    /// <param name="late">Is told once what is missing when it takes more than a second.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task ListensAsync(Action<string> late, CancellationToken cancellationToken)
    {
        var (begun, told) = (context.Clock.GetTimestamp(), false);
        while (Missing() is { } missing)
        {
            var passed = context.Clock.GetElapsedTime(begun);
            if (passed >= _labels.ReadyTimeout)
            {
                context.Log.TaskNotListening(task.Id, task.Name, missing, (long)_labels.ReadyTimeout.TotalMilliseconds);
                return;
            }

            if (!told && passed > TimeSpan.FromSeconds(1))
            {
                told = true;
                late($"nothing listens at {missing} yet");
            }

            await Task.Delay(UntilNextLook(passed), context.Clock, cancellationToken);
        }
    }

    /// <summary>Waits until the task may be stopped; null when its container ended meanwhile.</summary>
    /// <param name="stopping">False for a task that is stopped because it is unhealthy.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<TaskDrain?> DrainAsync(bool stopping, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ended = context.Runtime.WaitAsync(containerId, ending.Token);
        try
        {
            var begun = context.Clock.GetTimestamp();
            var word = WordAsync(stopping, ending.Token);
            if (await Task.WhenAny(word, ended) == ended)
            {
                return null;
            }

            var receipt = ReceiptOf(await word);
            var (first, last) = await FlowsEndAsync(await word is { } said ? TimeSpan.FromMilliseconds(said.GraceMilliseconds) : _labels.DrainGrace, ended, cancellationToken);
            return receipt with
            {
                FlowsAtStart = first,
                FlowsLeft = last,
                Took = (long)context.Clock.GetElapsedTime(begun).TotalNanoseconds,
            };
        }
        finally
        {
            await ending.CancelAsync();
            await ended.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>
    /// After the container's end: its last bytes may still be under way, and go away with its network namespace. Bounded by half a second.
    /// </summary>
    public async Task LingerAsync(CancellationToken cancellationToken)
    {
        var begun = context.Clock.GetTimestamp();
        for (var pause = s_firstLook; context.Network.TrafficOf(containerId) is { Closing: > 0 } && context.Clock.GetElapsedTime(begun) < s_longestLinger; pause = Longer(pause))
        {
            await Task.Delay(pause, context.Clock, cancellationToken);
        }
    }

    private static TimeSpan UntilNextLook(TimeSpan passed) =>
        passed < StartPart * s_firstLook ? s_firstLook : passed > StartPart * s_laterLooks ? s_laterLooks : passed / StartPart;

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < s_laterLooks ? pause * 2 : s_laterLooks;

    private static TaskDrain ReceiptOf(DrainedTask? word) =>
        word is null ? new TaskDrain() : new TaskDrain { Revision = word.Revision, Confirmed = [.. word.Confirmed], Unconfirmed = [.. word.Unconfirmed] };

    /// <summary>What is published and does not listen; null when nothing is missing, or nobody can tell, or the container has ended.</summary>
    private string? Missing()
    {
        if (Ports.Count == 0 || context.Runtime.Find(containerId).State is not ContainerState.Running || context.Network.TrafficOf(containerId) is not { } traffic)
        {
            return null;
        }

        var missing = Ports.Where(p => !(p.Protocol == "udp" ? traffic.UdpPorts : traffic.TcpPorts).Contains((int)p.TargetPort)).ToList();
        return missing.Count == 0 ? null : string.Join(", ", missing.Select(p => $"{p.TargetPort}/{p.Protocol ?? "tcp"}"));
    }

    private async Task<DrainedTask?> WordAsync(bool stopping, CancellationToken cancellationToken)
    {
        try
        {
            return await _word.WaitAsync(word => word is not null && (word.Stopping || !stopping), cancellationToken)
                .WaitAsync(LongestSilence, context.Clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    private async Task<(int First, int Last)> FlowsEndAsync(TimeSpan grace, Task ended, CancellationToken cancellationToken)
    {
        var begun = context.Clock.GetTimestamp();
        int? first = null;
        for (var pause = s_firstLook; ; pause = Longer(pause))
        {
            var traffic = context.Network.TrafficOf(containerId) ?? new SandboxTraffic();
            var passed = context.Clock.GetElapsedTime(begun);
            first ??= traffic.Flows;
            var settled = traffic.UdpPorts.Count == 0 || (traffic.Unread == 0 && passed >= DatagramsSettle);
            if ((traffic.Flows == 0 && settled) || passed >= grace || ended.IsCompleted)
            {
                return (first.Value, traffic.Flows);
            }

            var left = grace - passed;
            await Task.Delay(pause < left ? pause : left, context.Clock, cancellationToken);
        }
    }
}
