using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Kernel.Namespaces;
using Skep.Model.Identity;
using Skep.Model.Plans;
using Skep.Network;
using Skep.Network.Dns;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network;

/// <summary>A machine of the test: a namespace that plays its host, and a network that can be stopped and started over what it left.</summary>
internal sealed class TestNode(string id, NetworkNamespace host, string address, string folder, string? socketGroup = null) : IAsyncDisposable
{
    private CancellationTokenSource _stop = new();
    private NameServer _names = null!;
    private Task _running = Task.CompletedTask;
    private bool _started;

    public string Id { get; } = id;
    public NetworkNamespace Host { get; } = host;
    public IPAddress Address { get; } = IPAddress.Parse(address);
    public bool SocketBalancing { get; set; } = true;
    public RepairLog Log { get; } = new();

    /// <summary>The data plane of iptables and IPVS.</summary>
    public bool Classic { get; init; }

    public NodeNetwork Network { get; private set; } = null!;

    /// <summary>Where it keeps its choices.</summary>
    public string Folder => folder;

    public NetworkNamespace Open(string space) => NetworkNamespace.Open(PathOf(space));

    public string PathOf(string space) => Path.Combine(folder, "netns", space);

    public void Start()
    {
        _started = true;
        _stop = new CancellationTokenSource();
        _names = new NameServer([], TimeProvider.System, NullLogger<NameServer>.Instance, balances6: !Classic);
        Network = new NodeNetwork(
            new NodeNetworkOptions
            {
                NodeId = Id,
                Classic = Classic,
                Vtep = Address,
                StateFolder = folder,
                NamespaceFolder = Path.Combine(folder, "netns"),
                HostNamespace = Host.Origin,
                SocketGroup = socketGroup,
                SocketBalancing = SocketBalancing,
                SurveyPeriod = TimeSpan.FromMilliseconds(300),
            },
            _names,
            Log);
        _running = Network.RunAsync(_stop.Token);
    }

    public async Task StopAsync()
    {
        _started = false;
        await _stop.CancelAsync();
        await _running;
        Network.Dispose();
        await _names.DisposeAsync();
        _stop.Dispose();
    }

    public async Task<NetworkNamespace> AttachAsync(SandboxRequest request, CancellationToken cancellationToken) =>
        NetworkNamespace.Open((await Network.AttachAsync(request, cancellationToken)).NamespacePath);

    /// <summary>Submits a plan of this node with what differs in it.</summary>
    public async Task FollowAsync(NodePlan plan, PlanDelta? delta, CancellationToken cancellationToken)
    {
        Network.Submit(plan, delta);
        await Network.AppliedRevision.WaitAsync(r => r == plan.Revision, cancellationToken);
    }

    public async Task ApplyAsync(NodePlan plan, CancellationToken cancellationToken)
    {
        Network.Submit(plan with { NodeId = Id }, delta: null);
        await Network.AppliedRevision.WaitAsync(r => r == plan.Revision, cancellationToken);
    }

    /// <summary>Waits until the rules of a namespace (empty: the host's) repeat refused SYNs to that port: somebody's answer there was heard.</summary>
    public Task UntilRetriedAsync(string space, string element, CancellationToken cancellationToken) => UntilListedAsync(space, "set", "retried", element, cancellationToken);

    /// <summary>Waits until the rules lead new flows to that port past those who refuse it.</summary>
    public Task UntilDetouredAsync(string space, string element, CancellationToken cancellationToken) => UntilListedAsync(space, "map", "detours", element, cancellationToken);

    private async Task UntilListedAsync(string space, string kind, string name, string element, CancellationToken cancellationToken)
    {
        using var ns = space.Length == 0 ? NetworkNamespace.Open(Host.Origin) : Open(space);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!(await NamespaceFixture.RunAsync(ns, "nft", "list", kind, "ip", "skep", name)).Contains(element, StringComparison.Ordinal))
        {
            await again.WaitForNextTickAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        if (!_started)
        {
            Start();
        }

        await Network.RemoveAllAsync(limit.Token);
        await StopAsync();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "netns")))
        {
            NetworkNamespace.Delete(file);
        }

        Directory.Delete(folder, recursive: true);
    }

    public static string ContainerOf(string task) => ContainerId.Of(task);
}

/// <summary>Keeps what the node's network says of repairs and failures.</summary>
internal sealed class RepairLog : ILogger<NodeNetwork>
{
    private readonly List<string> _lines = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    public IEnumerable<string> Repairs => Lines.Where(l => l.Contains("Repaired", StringComparison.Ordinal));

    /// <summary>Every change of the kernel, wished for or repaired.</summary>
    public IEnumerable<string> Differences => Lines.Where(l => l.Contains("Repaired", StringComparison.Ordinal) || l.Contains("Changed", StringComparison.Ordinal));

    /// <summary>Waits for a line that has these words, said before or from now on.</summary>
    public async Task<string> LineAsync(string words, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task more;
            lock (_lines)
            {
                if (_lines.Find(l => l.Contains(words, StringComparison.Ordinal)) is { } line)
                {
                    return line;
                }

                more = _more.Task;
            }

            await more.WaitAsync(cancellationToken);
        }
    }

    public void Clear()
    {
        lock (_lines)
        {
            _lines.Clear();
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add($"{logLevel}: {formatter(state, exception)} {exception?.Message}");
            _more.TrySetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
