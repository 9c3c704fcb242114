using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Skep.Daemon.Supervision;

/// <summary>
/// Keeps one child process running: in a session of its own, so that it outlives the daemon; started again with a growing
/// delay when it dies; found again by its pid file and taken over when it is still there and healthy.
/// </summary>
public sealed partial class ChildProcess(ChildProcessOptions options, TimeProvider clock, ILogger<ChildProcess> logger)
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan s_noting = TimeSpan.FromMilliseconds(1);

    // The shell notes its own birth before it becomes the child, so there is no moment at which a child is unknown.
    private const string Note = "read -r stat </proc/$$/stat && echo \"$stat\" >\"$0\" && shift && ";
    private const string Launch = Note + "exec setsid \"$@\" </dev/null >>\"$SKEP_CHILD_LOG\" 2>&1";

    // Where it came from it can open by descriptor 9: a namespace need not have a path.
    private const string LaunchElsewhere =
        Note + "exec 9<\"$SKEP_CHILD_HOME\" && exec setsid nsenter --net=\"$SKEP_CHILD_NETWORK\" -- \"$@\" </dev/null >>\"$SKEP_CHILD_LOG\" 2>&1";

    private ProcessIdentity? _running;
    private volatile bool _stopped;

    /// <summary>Raised each time when the child was started or taken over, with its process id.</summary>
    public event Action<int>? Started;

    /// <summary>The child's process id; null while it does not run.</summary>
    public int? ProcessId => _running is { } running && running.IsAlive ? running.Pid : null;

    /// <summary>Keeps the child running until cancelled; then leaves it running. <see cref="StopAsync"/> ends it.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.PidFile))!);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(options.LogFile))!);
        using var logging = new CancellationTokenSource();
        var log = new ChildLog(options.Name, options.LogFile, clock, logger).RunAsync(logging.Token);
        try
        {
            await KeepAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        finally
        {
            await logging.CancelAsync();
            await log;
        }
    }

    /// <summary>SIGTERM, and SIGKILL after the grace period. The child is not started again.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopped = true;
        if (_running is { IsAlive: true } running)
        {
            await EndAsync(running, cancellationToken);
        }
        else if (ProcessIdentity.FromFile(options.PidFile) is { } left && await OurCommandAsync(left, cancellationToken) is not null)
        {
            await EndAsync(left, cancellationToken);
        }

        File.Delete(options.PidFile);
    }

    private async Task KeepAsync(CancellationToken stopping)
    {
        var delay = options.FirstDelay;
        var adopted = await AdoptAsync(stopping);
        while (!_stopped)
        {
            stopping.ThrowIfCancellationRequested();
            var startedAt = clock.GetTimestamp();
            var exit = "an unknown status";
            try
            {
                exit = await (adopted is { } found ? FollowAsync(found, stopping) : StartAsync(stopping));
            }
            catch (Exception failure) when (failure is System.ComponentModel.Win32Exception or IOException)
            {
                logger.ChildUnstartable(failure, options.Name);
            }

            adopted = null;
            if (_stopped)
            {
                return;
            }

            delay = clock.GetElapsedTime(startedAt) >= options.Settled ? options.FirstDelay : delay;
            logger.ChildDied(options.Name, _running?.Pid ?? 0, exit, delay);
            await Task.Delay(delay, clock, stopping);
            delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, options.LongestDelay.Ticks));
        }
    }

    private async Task<string> StartAsync(CancellationToken stopping)
    {
        options.BeforeStart?.Invoke();
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = options.WorkingDirectory, UseShellExecute = false };
        string[] arguments = ["-c", options.NetworkNamespace is null ? Launch : LaunchElsewhere, Path.GetFullPath(options.PidFile), "--", options.FileName, .. options.Arguments];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in options.Environment)
        {
            start.Environment[name] = value;
        }

        if (options.NetworkNamespace is { } network)
        {
            start.Environment["SKEP_CHILD_NETWORK"] = network;
            start.Environment["SKEP_CHILD_HOME"] = options.HomeNetworkNamespace ?? "/proc/self/ns/net";
        }

        start.Environment["SKEP_CHILD_LOG"] = Path.GetFullPath(options.LogFile);
        using var process = Process.Start(start)!;
        _running = ProcessIdentity.Of(process.Id);
        while (_running is { IsAlive: true } running && ProcessIdentity.FromFile(options.PidFile) != running)
        {
            await Task.Delay(s_noting, clock, stopping);
        }

        logger.ChildStarted(options.Name, process.Id);
        Started?.Invoke(process.Id);
        await process.WaitForExitAsync(stopping);
        return $"status {process.ExitCode}";
    }

    /// <summary>A child of an earlier daemon is no child of ours: its end must be looked for.</summary>
    private async Task<string> FollowAsync(ProcessIdentity process, CancellationToken stopping)
    {
        _running = process;
        logger.ChildAdopted(options.Name, process.Pid);
        Started?.Invoke(process.Pid);
        await GoneAsync(process, stopping);
        return "an unknown status";
    }

    private async Task<ProcessIdentity?> AdoptAsync(CancellationToken stopping)
    {
        if (ProcessIdentity.FromFile(options.PidFile) is not { } left)
        {
            return null;
        }

        if (await OurCommandAsync(left, stopping) is not { } command)
        {
            return null;
        }

        string reason;
        if (!command.TakeLast(options.Arguments.Count + 1).Skip(1).SequenceEqual(options.Arguments))
        {
            reason = "its arguments are others";
        }
        else if (options.IsHealthy is null || await options.IsHealthy(stopping))
        {
            return left;
        }
        else
        {
            reason = "it is not healthy";
        }

        logger.ChildReplaced(options.Name, left.Pid, reason);
        await EndAsync(left, stopping);
        return null;
    }

    /// <summary>
    /// The command line of a process that is our child from before; null when it is another's or gone. On its way from the shell to
    /// the program (execve(2), twice) a process has none for a moment, so it is read until there is one and judged by that reading.
    /// </summary>
    private async Task<IReadOnlyList<string>?> OurCommandAsync(ProcessIdentity process, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> command;
        while ((command = process.CommandLine()).Count == 0 && process.IsAlive)
        {
            await Task.Delay(s_noting, clock, cancellationToken);
        }

        // The program stands first in its command line, or after the shell's own words in its first millisecond.
        var ours = command.Any(word => Path.GetFileName(word) == Path.GetFileName(options.FileName));
        return ours && process.IsAlive ? command : null;
    }

    private async Task EndAsync(ProcessIdentity process, CancellationToken cancellationToken)
    {
        Signal(process, SigTerm);
        try
        {
            await GoneAsync(process, CancellationToken.None).WaitAsync(options.StopGrace, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            logger.ChildKilled(options.Name, process.Pid, options.StopGrace);
            Signal(process, SigKill);
            await GoneAsync(process, cancellationToken);
        }
    }

    private async Task GoneAsync(ProcessIdentity process, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(s_poll, clock);
        while (process.IsAlive)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    private static void Signal(ProcessIdentity process, int signal)
    {
        if (process.IsAlive)
        {
            _ = Kill(process.Pid, signal);
        }
    }

    private const int SigTerm = 15;
    private const int SigKill = 9;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
