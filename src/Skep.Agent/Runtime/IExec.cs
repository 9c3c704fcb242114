namespace Skep.Agent.Runtime;

public sealed record ExecRecipe
{
    public required IReadOnlyList<string> Command { get; init; }
    public IReadOnlyList<string> Env { get; init; } = [];
    public string? User { get; init; }
    public string? WorkingDir { get; init; }
    public bool Tty { get; init; }
    public bool Privileged { get; init; }
    public bool AttachStdin { get; init; }
    public bool AttachStdout { get; init; }
    public bool AttachStderr { get; init; }
}

/// <summary>A command inside a running container.</summary>
public interface IExec
{
    string Id { get; }
    string ContainerId { get; }
    ExecRecipe Recipe { get; }
    bool Running { get; }
    int Pid { get; }

    /// <summary>Null until it ended. 126: not executable; 127: not found.</summary>
    int? ExitCode { get; }

    /// <summary>
    /// Starts the command and returns its streams; a second start is Conflict. Stdout and Stderr end when the command's do;
    /// closing Stdin is its end of file. On a TTY everything comes on Stdout. Streams that were not asked for are empty.
    /// </summary>
    Task<ExecStreams> StartAsync(CancellationToken cancellationToken);

    Task<int> WaitAsync(CancellationToken cancellationToken);

    Task ResizeAsync(uint width, uint height, CancellationToken cancellationToken);
}

public sealed record ExecStreams(Stream Stdin, Stream Stdout, Stream Stderr);
