using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Skep.Model.Errors;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.Agent.Runtime;

/// <summary>Starts a container and sees it through to its end, whether this daemon started it or one before it.</summary>
internal sealed class ContainerLife(RuntimeParts parts, Func<Container, CancellationToken, Task> watchHealthAsync)
{
    /// <summary>The exit code of a process whose end nobody saw.</summary>
    public const int UnknownExit = 255;

    public async Task StartAsync(Container container, CancellationToken cancellationToken)
    {
        await container.Gate.WaitAsync(cancellationToken);
        try
        {
            if (container.IsRunning)
            {
                return;
            }

            if (container.Run is { } last)
            {
                await last.Ended.WaitAsync(cancellationToken);
                await last.Cleaned.WaitAsync(cancellationToken);
            }

            await RunAsync(container, cancellationToken);
        }
        finally
        {
            container.Gate.Release();
        }
    }

    /// <summary>Takes over a container that a daemon before this one started.</summary>
    public void Adopt(Container container, ContainerProcess? process)
    {
        var run = new ContainerRun();
        container.Output?.Open();
        run.OpenStreams(parts, container);
        container.Run = run;
        if (process is { Status: ProcessStatus.Running or ProcessStatus.Paused or ProcessStatus.Pausing })
        {
            container.Update(s => s with
            {
                State = process.Status == ProcessStatus.Running ? ContainerState.Running : ContainerState.Paused,
                Pid = (int)process.Pid,
                StartedAt = s.State == ContainerState.Created ? parts.Clock.GetUtcNow() : s.StartedAt,
            });
        }

        Follow(container, run);
        if (!container.IsRunning || process is null or { Status: ProcessStatus.Stopped or ProcessStatus.Unknown })
        {
            run.SetExit(ExitOf(process));
        }

        parts.Logger.TakenOver(container.Id, container.Recipe.Name, container.Snapshot.State);
    }

    /// <summary>What containerd says of a process that does not run.</summary>
    public ProcessExit ExitOf(ContainerProcess? process) => process is null
        ? new ProcessExit(UnknownExit, parts.Clock.GetUtcNow())
        : new ProcessExit((int)process.ExitStatus, Time(process.ExitedAt));

    public DateTimeOffset Time(Timestamp? stamp) => stamp is { Seconds: > 0 } ? stamp.ToDateTimeOffset() : parts.Clock.GetUtcNow();

    private async Task RunAsync(Container container, CancellationToken cancellationToken)
    {
        var began = parts.Clock.GetTimestamp();
        var mounts = container.RootMounts ?? await parts.Client.MountsAsync(container.Id, cancellationToken);
        container.RootMounts = null;
        var run = new ContainerRun();
        container.Output?.Open();
        run.OpenStreams(parts, container);
        container.Run = run;
        int pid;
        try
        {
            var request = new CreateTaskRequest
            {
                ContainerId = container.Id,
                Stdin = run.Stdin,
                Stdout = run.Stdout,
                Stderr = run.Stderr,
                Terminal = container.Recipe.Tty,
                Rootfs = { mounts },
            };
            // A start that was begun is brought to an end: half of one would leave a process that nobody knows.
            await parts.Client.CreateTaskAsync(request, CancellationToken.None);
            pid = await StartTaskAsync(container.Id);
        }
        catch (Exception error) when (error is RpcException or ClusterException)
        {
            await AbandonAsync(container, run, error);
            throw new ClusterException(error is ClusterException c ? c.Kind : ErrorKind.FailedPrecondition, error.Message, error);
        }

        container.Update(s => s with
        {
            State = ContainerState.Running,
            Pid = pid,
            StartedAt = parts.Clock.GetUtcNow(),
            FinishedAt = null,
            ExitCode = 0,
            Error = "",
            OomKilled = false,
            Health = s.Config.Healthcheck is { Test: [not "NONE", ..] } ? new ContainerHealth("starting", 0, []) : null,
        });
        container.Publish("start");
        parts.Logger.Started(container.Id, container.Recipe.Name, (long)parts.Clock.GetElapsedTime(began).TotalMilliseconds);
        Follow(container, run);
    }

    private async Task<int> StartTaskAsync(string id)
    {
        try
        {
            return await parts.Client.StartAsync(id, "", CancellationToken.None);
        }
        catch (RpcException error) when (error.Code is RpcStatusCode.FailedPrecondition or RpcStatusCode.Unknown
            && error.Message.Contains("process already", StringComparison.Ordinal))
        {
            // The answer to a first call was lost with the connection.
            return (int?)(await parts.Client.GetAsync(id, "", CancellationToken.None))?.Pid ?? 0;
        }
    }

    private async Task AbandonAsync(Container container, ContainerRun run, Exception error)
    {
        var code = ExitCodeOf(error.Message);
        container.Update(s => s with { ExitCode = code, Error = error.Message });
        run.Cleaned = CleanAsync(container, run);
        try
        {
            await parts.Client.KillAsync(container.Id, "", Signals.Kill, true, CancellationToken.None);
        }
        catch (Exception failure) when (failure is RpcException or ClusterException)
        {
            parts.Logger.NotCleaned(container.Id, failure.Message);
        }

        await run.Cleaned;
        container.Output?.Complete();
    }

    /// <summary>As shells have it: 127 not found, 126 not to be executed; 128 anything else.</summary>
    public static int ExitCodeOf(string words) =>
        words.Contains("executable file not found", StringComparison.Ordinal) || words.Contains("no such file or directory", StringComparison.Ordinal) ? 127
        : words.Contains("permission denied", StringComparison.Ordinal) || words.Contains("is a directory", StringComparison.Ordinal) ? 126
        : 128;

    private void Follow(Container container, ContainerRun run)
    {
        run.Ended = EndAsync(container, run);
        if (container.IsRunning)
        {
            _ = watchHealthAsync(container, run.HealthStop.Token);
        }
    }

    private async Task EndAsync(Container container, ContainerRun run)
    {
        var exit = await run.Exit;
        await run.HealthStop.CancelAsync();
        run.Cleaned = CleanAsync(container, run);
        // The last words first: who waits for the end may read the log at once.
        await Task.WhenAny(run.StreamsEndedAsync(), run.Cleaned);
        container.Output?.Complete();
        var snapshot = container.Update(s => s with { State = ContainerState.Exited, Pid = 0, ExitCode = exit.Code, FinishedAt = exit.At });
        var duration = snapshot.FinishedAt - snapshot.StartedAt ?? TimeSpan.Zero;
        container.Publish(
            "die",
            ("exitCode", exit.Code.ToString(CultureInfo.InvariantCulture)),
            ("execDuration", ((long)duration.TotalSeconds).ToString(CultureInfo.InvariantCulture)));
        parts.Logger.Ended(container.Id, container.Recipe.Name, exit.Code);
    }

    private async Task CleanAsync(Container container, ContainerRun run)
    {
        try
        {
            await parts.Client.DeleteTaskAsync(container.Id, CancellationToken.None);
        }
        catch (Exception error) when (error is RpcException or ClusterException)
        {
            if (!parts.Closing.IsCancellationRequested)
            {
                parts.Logger.NotCleaned(container.Id, error.Message);
            }
        }

        await run.CloseStreamsAsync();
    }
}
