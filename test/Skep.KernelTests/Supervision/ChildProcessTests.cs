using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Daemon.Supervision;

namespace Skep.KernelTests.Supervision;

/// <summary>Real processes: sleepers and shells.</summary>
public sealed class ChildProcessTests : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("skep-child-").FullName;
    private readonly Channel<int> _started = Channel.CreateUnbounded<int>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<(ChildProcess Child, Task Running)> _children = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var (child, _) in _children)
        {
            await child.StopAsync(CancellationToken.None);
        }

        await _stopping.CancelAsync();
        await Task.WhenAll(_children.Select(c => c.Running));
        _stopping.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_child_that_is_killed_starts_again_and_runs_in_its_own_session()
    {
        Start(Sleep("1000"));
        var first = await NextAsync();
        Assert.NotEqual(SessionOf(Environment.ProcessId), SessionOf(first, first));

        Process.GetProcessById(first).Kill();
        var second = await NextAsync();

        Assert.NotEqual(first, second);
        Assert.True(Directory.Exists($"/proc/{second}"));
    }

    [Fact]
    public async Task A_child_outlives_its_daemon_and_is_taken_over_by_the_next_one()
    {
        using var crash = new CancellationTokenSource();
        var before = New(Sleep("1000"));
        var running = before.RunAsync(crash.Token);
        var pid = await NextAsync();
        await crash.CancelAsync();
        await running;

        Start(Sleep("1000"));

        Assert.Equal(pid, await NextAsync());
        Process.GetProcessById(pid).Kill();
        Assert.NotEqual(pid, await NextAsync());
    }

    [Theory]
    [InlineData(true, "2000")]
    [InlineData(false, "1000")]
    public async Task A_left_child_that_is_sick_or_of_other_arguments_is_replaced(bool healthy, string seconds)
    {
        using var crash = new CancellationTokenSource();
        var running = New(Sleep("1000")).RunAsync(crash.Token);
        var pid = await NextAsync();
        await crash.CancelAsync();
        await running;

        Start(Sleep(seconds) with { IsHealthy = _ => Task.FromResult(healthy) });

        Assert.NotEqual(pid, await NextAsync());
        Assert.True(IsGone(pid));
    }

    [Fact]
    public async Task A_pid_file_of_a_process_that_is_another_one_now_is_not_believed()
    {
        var options = Sleep("1000");
        var self = await File.ReadAllTextAsync($"/proc/{Environment.ProcessId}/stat", Stop);
        await File.WriteAllTextAsync(options.PidFile, self, Stop);

        Start(options);

        Assert.NotEqual(Environment.ProcessId, await NextAsync());
    }

    [Fact]
    public async Task Stop_asks_first_and_then_kills_and_the_child_stays_away()
    {
        var child = New(Options("trap '' TERM; echo deaf >&2; exec sleep 1000") with { StopGrace = TimeSpan.FromMilliseconds(300) });
        var said = new TaskCompletionSource();
        var running = child.RunAsync(_stopping.Token);
        _children.Add((child, running));
        var pid = await NextAsync();
        using var watcher = new FileSystemWatcher(_folder, "log") { NotifyFilter = NotifyFilters.Size | NotifyFilters.LastWrite };
        watcher.Changed += (_, _) => said.TrySetResult();
        watcher.EnableRaisingEvents = true;
        if (!(await File.ReadAllTextAsync(Path.Combine(_folder, "log"), Stop)).Contains("deaf", StringComparison.Ordinal))
        {
            await said.Task.WaitAsync(s_patience, Stop);
        }

        await child.StopAsync(Stop);

        await running.WaitAsync(s_patience, Stop);
        Assert.True(IsGone(pid));
        Assert.False(_started.Reader.TryRead(out _));
    }

    [Fact]
    public async Task What_a_child_writes_comes_to_the_journal_with_its_level()
    {
        var lines = Channel.CreateUnbounded<(LogLevel, string)>();
        var child = new ChildProcess(
            Options("echo '{\"level\":\"warn\",\"msg\":\"slow disk\"}' >&2; exec sleep 1000"),
            TimeProvider.System,
            new ChannelLogger(lines.Writer));
        _children.Add((child, child.RunAsync(_stopping.Token)));

        var warning = await lines.Reader.ReadAllAsync(Stop).FirstAsync(l => l.Item2.Contains("slow disk", StringComparison.Ordinal), Stop)
            .AsTask().WaitAsync(s_patience, Stop);

        Assert.Equal(LogLevel.Warning, warning.Item1);
    }

    private ChildProcessOptions Options(string script) => new()
    {
        Name = "sleeper",
        FileName = "/bin/sh",
        Arguments = ["-c", script],
        PidFile = Path.Combine(_folder, "pid"),
        LogFile = Path.Combine(_folder, "log"),
    };

    private ChildProcessOptions Sleep(string seconds) => Options("") with { FileName = "sleep", Arguments = [seconds] };

    private ChildProcess New(ChildProcessOptions options)
    {
        var child = new ChildProcess(options, TimeProvider.System, NullLogger<ChildProcess>.Instance);
        child.Started += pid => _started.Writer.TryWrite(pid);
        return child;
    }

    private void Start(ChildProcessOptions options)
    {
        var child = New(options);
        _children.Add((child, child.RunAsync(_stopping.Token)));
    }

    private Task<int> NextAsync() => _started.Reader.ReadAsync(Stop).AsTask().WaitAsync(s_patience, Stop);

    private static bool IsGone(int pid) =>
        !File.Exists($"/proc/{pid}/stat") || File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1][0] is 'Z' or 'X';

    private static int SessionOf(int pid, int wanted = 0)
    {
        // The shell becomes its own session's leader a moment after it has started.
        var session = 0;
        SpinWait.SpinUntil(
            () =>
            {
                session = int.Parse(File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1].Split(' ')[3], CultureInfo.InvariantCulture);
                return wanted == 0 || session == wanted;
            },
            s_patience);
        return session;
    }

    private sealed class ChannelLogger(ChannelWriter<(LogLevel, string)> writer) : ILogger<ChildProcess>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            writer.TryWrite((logLevel, formatter(state, exception)));
    }
}
