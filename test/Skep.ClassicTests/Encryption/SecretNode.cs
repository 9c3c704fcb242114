using System.Net;
using Skep.ClassicTests.Uml;
using Skep.Kernel.Namespaces;
using Skep.Model.Plans;
using Skep.Network;
using Skep.Testing.Kernel;

namespace Skep.ClassicTests.Encryption;

/// <summary>A machine whose network can be stopped and started over what it left.</summary>
internal sealed class SecretNode(string id, NetworkNamespace host, string address, string folder, Plane plane) : IAsyncDisposable
{
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public string Id { get; } = id;
    public NetworkNamespace Host { get; } = host;
    public IPAddress Address { get; } = IPAddress.Parse(address);
    public NodeNetwork Network { get; private set; } = null!;
    public string StateFile => Path.Combine(folder, "network-plan.json");

    public void Start()
    {
        _stop.Dispose();
        _stop = new CancellationTokenSource();
        Network = new NodeNetwork(
            new NodeNetworkOptions
            {
                NodeId = Id,
                Vtep = Address,
                StateFolder = folder,
                NamespaceFolder = Path.Combine(folder, "netns"),
                HostNamespace = Host.Origin,
                Classic = plane is Plane.Classic,
                SettingsPeriod = TimeSpan.FromMilliseconds(100),
                FullPassPeriod = TimeSpan.FromSeconds(3),
            },
            new NoNames(),
            new UmlLog<NodeNetwork>(Id));
        _running = Network.RunAsync(_stop.Token);
    }

    /// <summary>Every packet rule of the machine goes, as at a firewall's reload.</summary>
    public Task FlushRulesAsync() => plane is Plane.Classic
        ? NamespaceFixture.RunAsync(Host, "iptables", "-F")
        : NamespaceFixture.RunAsync(Host, "nft", "flush", "ruleset");

    /// <summary>Whether the packet rules that refuse clear text are there, both ways.</summary>
    public async Task<bool> RefusesByRulesAsync() => plane is Plane.Classic
        ? (await NamespaceFixture.RunAsync(Host, "iptables", "-S")).Split("--pol none").Length == 3
        : (await NamespaceFixture.RunAsync(Host, "nft", "list", "ruleset", "ip")).Split("ipsec missing").Length == 3;

    public async Task StopAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        await _running;
        Network.Dispose();
    }

    public async Task<NetworkNamespace> AttachAsync(SandboxRequest request, CancellationToken cancellationToken) =>
        NetworkNamespace.Open((await Network.AttachAsync(request, cancellationToken)).NamespacePath);

    public async Task ApplyAsync(NodePlan plan, CancellationToken cancellationToken)
    {
        Network.Submit(plan with { NodeId = Id }, null);
        await Network.AppliedRevision.WaitAsync(r => r == plan.Revision, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "netns")))
        {
            NetworkNamespace.Delete(file);
        }

        Directory.Delete(folder, recursive: true);
    }
}
