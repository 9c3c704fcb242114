using Skep.Manager.Control;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Rules;
using Skep.Model.Specs;
using Skep.Testing.Store;
using Skep.Testing.Time;

namespace Skep.UnitTests.Manager.Control;

/// <summary>Networks and services whose addresses cannot be had are refused when they are asked for, with the numbers and the nodes.</summary>
public sealed class AddressRefusalTests : IAsyncLifetime
{
    private readonly FakeClusterStore _store = new();
    private readonly NetworkControl _networks;
    private readonly ServiceControl _services;

    public AddressRefusalTests()
    {
        _networks = new NetworkControl(_store, new ManualClock());
        _services = new ServiceControl(_store, new ManualClock());
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _store.CommitAsync(
        new StoreTransaction()
            .Create(Node("a", "node1", new HostPrefix("10.77.0.0/24", "route 10.77.0.0/24 dev eth0"), new HostPrefix("192.0.2.53/32", "name server 192.0.2.53")))
            .Create(Node("b", "node2", new HostPrefix("10.77.0.0/24", "route 10.77.0.0/24 dev eth0"), new HostPrefix("fd77:1::/64", "route fd77:1::/64 dev eth0")))
            .Create(new SwarmNetwork { Id = "small", Vni = 4097, Subnets = [new IpamConfig { Subnet = "10.50.0.0/29", Gateway = "10.50.0.1" }], Spec = new NetworkSpec { Name = "small" } }),
        Cancelled);

    public ValueTask DisposeAsync()
    {
        _services.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("10.77.0.0/16", "it overlaps route 10.77.0.0/24 dev eth0 of node node1 and 1 more; --opt skep.overlap=allow makes the network all the same")]
    [InlineData("192.0.2.0/24", "it overlaps name server 192.0.2.53 of node node1; --opt skep.overlap=allow makes the network all the same")]
    [InlineData("fd77:1:0:0::/64", "it overlaps route fd77:1::/64 dev eth0 of node node2; --opt skep.overlap=allow makes the network all the same")]
    public async Task A_subnet_that_means_something_else_to_a_node_is_refused_with_the_nodes_name(string subnet, string sentence)
    {
        var refusal = await Assert.ThrowsAsync<ClusterException>(() => _networks.CreateAsync(Spec(subnet), Cancelled));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Equal($"rpc error: code = InvalidArgument desc = Pool overlaps with other one on this address space: {sentence}", refusal.Message);

        var knowing = Spec(subnet) with { DriverConfiguration = new Driver { Name = "overlay", Options = new Dictionary<string, string> { [HostOverlaps.AllowOption] = "allow" } } };
        Assert.NotEmpty(await _networks.CreateAsync(knowing, Cancelled));
    }

    [Fact]
    public async Task A_subnet_that_is_nobodys_is_made_and_one_without_room_is_not()
    {
        Assert.NotEmpty(await _networks.CreateAsync(Spec("10.78.0.0/16"), Cancelled));
        var refusal = await Assert.ThrowsAsync<ClusterException>(() => _networks.CreateAsync(Spec("10.79.0.1/32") with { Name = "other" }, Cancelled));
        Assert.Contains("no address beside its gateway's", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_no_network_of_its_size_can_hold_is_refused_with_the_numbers()
    {
        var refusal = await Assert.ThrowsAsync<ClusterException>(() => CreateAsync("web", 5));
        Assert.Contains("network small has 5 IPv4 addresses; the service needs 6 (5 tasks and its virtual address)", refusal.Message, StringComparison.Ordinal);

        await CreateAsync("web", 4);
        var service = _store.Current.Services.Values.Single();
        await Assert.ThrowsAsync<ClusterException>(() => ScaleAsync(service, 6));
        await ScaleAsync(service, 3);
    }

    private Task<string> CreateAsync(string name, ulong replicas) => _services.CreateAsync(Wish(name, replicas), null, Cancelled);

    private Task ScaleAsync(SwarmService service, ulong replicas) => _services.UpdateAsync(
        service.Id, service.Version, service.Spec with { Mode = new ServiceMode { Replicated = new ReplicatedMode { Replicas = replicas } } }, new RegistryAuthSource(null, false), Cancelled);

    private static ServiceSpec Wish(string name, ulong replicas) => new()
    {
        Name = name,
        Mode = new ServiceMode { Replicated = new ReplicatedMode { Replicas = replicas } },
        TaskTemplate = new TaskSpec { ContainerSpec = new ContainerSpec { Image = "i" }, Networks = [new NetworkAttachmentConfig { Target = "small" }] },
    };

    private static NetworkSpec Spec(string subnet) => new()
    {
        Name = "wished",
        EnableIPv6 = subnet.Contains(':'),
        DriverConfiguration = new Driver { Name = "overlay" },
        IPAMOptions = new IpamOptions { Configs = [new IpamConfig { Subnet = subnet }] },
    };

    private static SwarmNode Node(string id, string hostname, params HostPrefix[] prefixes) =>
        new() { Id = id, Description = new NodeDescription { Hostname = hostname, Prefixes = prefixes } };
}
