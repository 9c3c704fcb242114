using Skep.Agent.Runtime;
using Skep.Daemon.Http.Infrastructure;
using Skep.EngineApi.Containers;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Containers;

/// <summary>
/// GET /containers/{ref}/stats: a sample each second, or one (which waits a second for the sample before it, unless the client
/// asks for one-shot). A container that does not run has a name and an id and no numbers.
/// </summary>
internal static class ContainerStatsEndpoint
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);

    public static async Task WriteAsync(HttpContext context, IContainerRuntime runtime, TimeProvider clock)
    {
        var container = runtime.Find(context.Reference());
        var stream = context.Text("stream") is not { } text || RequestQuery.IsTrue(text);
        var oneShot = context.Flag("one-shot");
        if (stream && oneShot)
        {
            throw ClusterException.Invalid("cannot have stream=true and one-shot=true");
        }

        var cancellationToken = context.RequestAborted;
        var sample = Sample(runtime, container.Id, null, clock);
        if (!stream)
        {
            if (!oneShot && container.IsRunning())
            {
                await Task.Delay(s_period, clock, cancellationToken);
                sample = Sample(runtime, container.Id, sample, clock) ?? sample;
            }

            await context.WriteJsonAsync(sample ?? new ContainerStats("", container.Id, default), StatsJson.Default.ContainerStats);
            return;
        }

        var output = await context.BeginStreamAsync(JsonExchange.ContentType);
        using var timer = new PeriodicTimer(s_period, clock);
        while (sample is not null)
        {
            await output.WriteJsonLineAsync(sample, StatsJson.Default.ContainerStats, cancellationToken);
            await timer.WaitForNextTickAsync(cancellationToken);
            sample = Sample(runtime, container.Id, sample, clock);
        }
    }

    /// <summary>Null when the container is gone.</summary>
    private static ContainerStats? Sample(IContainerRuntime runtime, string id, ContainerStats? before, TimeProvider clock)
    {
        if (runtime.Containers.FirstOrDefault(c => c.Id == id) is not { } container)
        {
            return null;
        }

        var empty = new ContainerStats("/" + container.Recipe.Name, id, default);
        if (!container.IsRunning())
        {
            return empty;
        }

        var pid = container.Pid;
        return ControlGroup.OfProcess(pid) is not { } group ? empty : empty with
        {
            Read = clock.GetUtcNow(),
            Preread = before?.Read ?? default,
            PidsStats = group.Pids(),
            BlkioStats = group.Blkio(),
            CpuStats = group.Cpu() with { SystemCpuUsage = HostCounters.ProcessorNanoseconds(), OnlineCpus = HostCounters.Processors() },
            PrecpuStats = before?.CpuStats ?? new CpuStats(),
            MemoryStats = group.Memory(),
            Networks = HostCounters.Interfaces(pid),
        };
    }
}
