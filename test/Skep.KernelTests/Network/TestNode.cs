using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Kernel.Namespaces;
using Skep.Model.Identity;
using Skep.Model.Plans;
using Skep.Network;
using Skep.Network.Dns;

namespace Skep.KernelTests.Network;

/// <summary>A machine of the test: a namespace that plays its host, and a network that can be stopped and started over what it left.</summary>
internal sealed class TestNode(string id, NetworkNamespace host, string address, string folder) : IAsyncDisposable
{
    private CancellationTokenSource _stop = new();
    private NameServer _names = null!;
    private Task _running = Task.CompletedTask;

    public string Id { get; } = id;
    public NetworkNamespace Host { get; } = host;
    public IPAddress Address { get; } = IPAddress.Parse(address);
    public RepairLog Log { get; } = new();
    public NodeNetwork Network { get; private set; } = null!;

    public NetworkNamespace Open(string space) => NetworkNamespace.Open(PathOf(space));

    public string PathOf(string space) => Path.Combine(folder, "netns", space);

    public void Start()
    {
        _stop = new CancellationTokenSource();
        _names = new NameServer([], TimeProvider.System, NullLogger<NameServer>.Instance);
        Network = new NodeNetwork(
            new NodeNetworkOptions
            {
                NodeId = Id,
                Vtep = Address,
                StateFolder = folder,
                NamespaceFolder = Path.Combine(folder, "netns"),
                HostNamespace = Host.Origin,
            },
            _names,
            Log);
        _running = Network.RunAsync(_stop.Token);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        Network.Dispose();
        await _names.DisposeAsync();
        _stop.Dispose();
    }

    public async Task<NetworkNamespace> AttachAsync(SandboxRequest request, CancellationToken cancellationToken) =>
        NetworkNamespace.Open((await Network.AttachAsync(request, cancellationToken)).NamespacePath);

    public async Task ApplyAsync(NodePlan plan, CancellationToken cancellationToken)
    {
        Network.Submit(plan with { NodeId = Id });
        await Network.AppliedRevision.WaitAsync(r => r == plan.Revision, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
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
        }
    }
}
