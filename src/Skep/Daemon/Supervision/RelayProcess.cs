using System.Globalization;
using Skep.Model.Flow;
using Skep.Network.Relays;

namespace Skep.Daemon.Supervision;

/// <summary>
/// The relay as a child process: started when the node first has ports with PROXY headers, left running when the daemon stops, ended
/// when there is no such port and no flow any more.
/// </summary>
public sealed class RelayProcess
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    private readonly RelayProcessOptions _options;
    private readonly Watched<int> _ports;
    private readonly Func<RelayStatus?> _status;
    private readonly TimeProvider _clock;
    private readonly ILoggerFactory _logging;

    /// <param name="options">Where it runs.</param>
    /// <param name="ports">How many ports need it.</param>
    /// <param name="status">What its sockets tell.</param>
    /// <param name="clock">Looks by it.</param>
    /// <param name="logging">The journal.</param>
    public RelayProcess(RelayProcessOptions options, Watched<int> ports, Func<RelayStatus?> status, TimeProvider clock, ILoggerFactory logging)
    {
        (_options, _ports, _status, _clock, _logging) = (options, ports, status, clock, logging);
        Child = NewChild();
    }

    /// <summary>The process, or the one that is to be started next.</summary>
    public ChildProcess Child { get; private set; }

    /// <summary>Keeps it running while it is needed, until cancelled; leaves it running then.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            // One that an earlier daemon left may have flows, whatever the plan says now.
            if (!File.Exists(_options.PidFile))
            {
                await _ports.WaitAsync(count => count > 0, stopping);
            }

            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            var running = Child.RunAsync(ending.Token);
            try
            {
                await UselessAsync(stopping);
                await Child.StopAsync(stopping);
            }
            finally
            {
                await ending.CancelAsync();
                await running;
            }

            Child = NewChild();
        }
    }

    /// <summary>Ends it with all its flows: the node has left the swarm.</summary>
    public Task EndAsync(CancellationToken cancellationToken) => File.Exists(_options.PidFile) ? Child.StopAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Completes when nobody needs it: no port, no flow; or its namespace is not the one where the rules are any more.</summary>
    private async Task UselessAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(s_look, _clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            if (Child.ProcessId is { } process && (IsElsewhere(process) || (_ports.Value == 0 && _status() is null or { Flows: 0 })))
            {
                return;
            }
        }
    }

    private bool IsElsewhere(int process) => InodeOf(_options.Namespace) is { } wanted && InodeOf($"/proc/{process}/ns/net") is { } there && wanted != there;

    private static ulong? InodeOf(string path)
    {
        try
        {
            using var ns = Kernel.Namespaces.NetworkNamespace.Open(path);
            return ns.Inode;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private ChildProcess NewChild() => new(
        new ChildProcessOptions
        {
            Name = "relay",
            FileName = _options.Program[0],
            Arguments = [.. _options.Program.Skip(1), "relay", "--port", new RelayOptions().Port.ToString(CultureInfo.InvariantCulture), "--host", ChildProcessOptions.HomeNamespace],
            NetworkNamespace = _options.Namespace,
            HomeNetworkNamespace = _options.HostNamespace,
            Environment = new Dictionary<string, string>
            {
                // What comes of a socket is dealt with on the thread that hears of it: a flow's next step is a few microseconds.
                ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1",
            },
            PidFile = _options.PidFile,
            LogFile = Path.Combine(_options.RunFolder, "relay.log"),
            IsHealthy = _ => Task.FromResult(ProcessIdentity.FromFile(_options.PidFile) is { } left && !IsElsewhere(left.Pid)),
        },
        _clock,
        _logging.CreateLogger<ChildProcess>());
}

/// <summary>Where the relay runs.</summary>
public sealed record RelayProcessOptions
{
    /// <summary>For its pid file and its log.</summary>
    public required string RunFolder { get; init; }

    /// <summary>ingress_sbox.</summary>
    public required string Namespace { get; init; }

    /// <summary>The namespace that plays the host; null = the one of this process.</summary>
    public string? HostNamespace { get; init; }

    /// <summary>This program, with the words before its verb.</summary>
    public IReadOnlyList<string> Program { get; init; } = ThisProgram();

    public string PidFile => Path.Combine(RunFolder, "relay.pid");

    private static IReadOnlyList<string> ThisProgram()
    {
        var program = System.Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, typeof(RelayProcess).Assembly.Location] : [program];
    }
}
