namespace Skep.Daemon.Supervision;

/// <summary>How a child process is started and kept.</summary>
public sealed record ChildProcessOptions
{
    /// <summary>The word for it in the journal.</summary>
    public required string Name { get; init; }

    /// <summary>A path, or a name that is looked up in PATH.</summary>
    public required string FileName { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Added to the daemon's own environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public string WorkingDirectory { get; init; } = "/";

    /// <summary>In <see cref="Arguments"/>: where a child that runs in another network namespace finds the one that it was started from.</summary>
    public const string HomeNamespace = "/proc/self/fd/9";

    /// <summary>The network namespace that the child runs in, by its path; null = the daemon's.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>What <see cref="HomeNamespace"/> is; null = the daemon's.</summary>
    public string? HomeNetworkNamespace { get; init; }

    /// <summary>Holds the running child's line of /proc/PID/stat as it was at its start: the process id and the time of birth.</summary>
    public required string PidFile { get; init; }

    /// <summary>
    /// What the child writes goes into this file and from there to the journal. A pipe would do harm: a child writing to one
    /// whose reader was killed dies of SIGPIPE.
    /// </summary>
    public required string LogFile { get; init; }

    /// <summary>Judges a child that an earlier daemon left; null = one that runs with the same command line is healthy.</summary>
    public Func<CancellationToken, Task<bool>>? IsHealthy { get; init; }

    /// <summary>Clears the way before each start, such as a socket that a killed child left.</summary>
    public Action? BeforeStart { get; init; }

    /// <summary>Between SIGTERM and SIGKILL.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The wait before the first restart; it doubles up to <see cref="LongestDelay"/> while the child dies young.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A child that lived this long starts again after the first delay.</summary>
    public TimeSpan Settled { get; init; } = TimeSpan.FromSeconds(10);
}
