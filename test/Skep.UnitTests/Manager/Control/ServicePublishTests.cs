using Skep.Manager.Control;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Testing.Store;
using Skep.Testing.Time;

namespace Skep.UnitTests.Manager.Control;

/// <summary>What is refused of a service because of the nodes' own programs, or because of the service that it is to serve with.</summary>
public sealed class ServicePublishTests : IAsyncLifetime
{
    private readonly FakeClusterStore _store = new();
    private readonly ServiceControl _control;

    public ServicePublishTests() => _control = new ServiceControl(_store, new ManualClock());

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _store.CommitAsync(
        new StoreTransaction()
            .Create(new SwarmNetwork { Id = "ingress", Spec = new NetworkSpec { Name = "ingress", Ingress = true } })
            .Create(Node("a", "node1", "false", new("tcp", 22, "0.0.0.0", "sshd"), new("udp", 53, "127.0.0.53", "systemd-resolve")))
            .Create(Node("b", "node2", "true", new("tcp", 22, "::", "sshd"), new("tcp", 80, "192.0.2.2", "nginx")))
            .Create(Node("c", "node3", "true", new HostListener("tcp", 80, "0.0.0.0", ""))),
        Cancelled);

    public ValueTask DisposeAsync()
    {
        _control.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_port_that_programs_hold_is_refused_with_their_names_and_nodes()
    {
        var refusal = await RefusedAsync(Spec("web", 22));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Equal(
            "rpc error: code = InvalidArgument desc = port 22/tcp is held by sshd on node1, node2; label skep.publish.22.nodes can leave nodes out, skep.publish.22.addresses addresses",
            refusal.Message);
        Assert.Contains("port 80/tcp is held by a program on node3 and by nginx on node2", (await RefusedAsync(Spec("web", 80))).Message, StringComparison.Ordinal);
        Assert.Contains("port 4789/udp is held by skep's tunnels on node1, node2, node3", (await RefusedAsync(Spec("web", 4789, "udp"))).Message, StringComparison.Ordinal);
        await _store.EditNodeAsync("a", n => n with { ManagerStatus = new ManagerStatus { Addr = "192.0.2.1:2377" } }, Cancelled);
        Assert.Contains("port 2377/tcp is held by skep on node1", (await RefusedAsync(Spec("web", 2377))).Message, StringComparison.Ordinal);
        Assert.Empty(_store.Current.Services);

        await CreateAsync(Spec("dns", 22, protocol: "udp"));
        await CreateAsync(Spec("web", 8080));
    }

    [Fact]
    public async Task Labels_that_leave_the_nodes_or_the_addresses_out_make_it_fine()
    {
        await RefusedAsync(Spec("web", 22, ("skep.publish.22.nodes", "node.hostname!=node1")));
        await CreateAsync(Spec("none", 22, ("skep.publish.22.nodes", "node.labels.edge==maybe")));
        await RefusedAsync(Spec("dns", 53, "udp"));
        await RefusedAsync(Spec("dns", 53, "udp", ("skep.publish.53.addresses", "127.0.0.0/8")));
        await CreateAsync(Spec("dns", 53, "udp", ("skep.publish.53.addresses", "192.0.2.0/24")));
        await RefusedAsync(Spec("web", 80, ("skep.publish.addresses", "192.0.2.0/24"), ("skep.publish.nodes", "node.hostname==node2")));
        await CreateAsync(Spec("web", 80, ("skep.publish.addresses", "198.51.100.0/24"), ("skep.publish.nodes", "node.hostname==node2")));
    }

    [Fact]
    public async Task What_a_service_publishes_already_is_not_refused_later_unless_it_is_to_listen_elsewhere()
    {
        var id = await CreateAsync(Spec("web", 8080));
        await _store.EditNodeAsync("c", n => n with { Description = n.Description! with { Listeners = [new HostListener("tcp", 8080, "::", "java")] } }, Cancelled);
        await UpdateAsync(id, Spec("web", 8080, ("skep.balance", "random")));
        await Assert.ThrowsAsync<ClusterException>(() => UpdateAsync(id, Spec("web", 8080, ("skep.publish.nodes", "node.labels.edge==true"))));
        await UpdateAsync(id, Spec("web", 8080, ("skep.publish.nodes", "node.hostname==node1")));
    }

    [Fact]
    public async Task A_host_mode_port_is_not_opened_by_labels_where_a_program_has_it()
    {
        ServiceSpec Hosted(params (string, string)[] labels) => Spec("web", 8022, labels) with { EndpointSpec = new() { Ports = [new() { PublishedPort = 8022, TargetPort = 80, Protocol = "tcp", PublishMode = "host" }] } };
        var id = await CreateAsync(Hosted(("skep.publish.addresses", "192.0.2.0/24")));
        await _store.CommitAsync(new StoreTransaction().Create(new SwarmTask { Id = "t", ServiceId = id, NodeId = "a" }), Cancelled);
        await _store.EditNodeAsync("a", n => n with { Description = n.Description! with { Listeners = [new HostListener("tcp", 8022, "127.0.0.1", "sshd")] } }, Cancelled);
        await _store.EditNodeAsync("b", n => n with { Description = n.Description! with { Listeners = [new HostListener("tcp", 8022, "0.0.0.0", "java")] } }, Cancelled);
        var refusal = await Assert.ThrowsAsync<ClusterException>(() => UpdateAsync(id, Hosted()));
        Assert.Equal("rpc error: code = InvalidArgument desc = port 8022/tcp is held by sshd on node1; label skep.publish.8022.addresses can leave addresses out", refusal.Message);
        await UpdateAsync(id, Hosted(("skep.publish.8022.addresses", "192.0.2.0/24,198.51.100.0/24")));
        await UpdateAsync(id, Hosted(("skep.publish.8022.addresses", "192.0.2.0/24"), ("skep.publish.8022.sources", "10.0.0.0/8")));
    }

    [Fact]
    public async Task Restrictions_of_host_mode_ports_need_the_ingress_network_and_hold_it()
    {
        var networks = new NetworkControl(_store, new ManualClock());
        ServiceSpec Hosted(string name, params (string, string)[] labels) => Spec(name, 8022, labels) with { EndpointSpec = new() { Ports = [new() { TargetPort = 80, PublishMode = "host" }] } };
        var id = await CreateAsync(Hosted("web", ("skep.publish.sources", "10.0.0.0/8")));
        Assert.Contains("depends on it", (await Assert.ThrowsAsync<ClusterException>(() => networks.RemoveAsync("ingress", Cancelled))).Message, StringComparison.Ordinal);
        await UpdateAsync(id, Hosted("web"));
        await networks.RemoveAsync("ingress", Cancelled);
        Assert.Contains("need the ingress network", (await RefusedAsync(Hosted("db", ("skep.publish.sources", "10.0.0.0/8")))).Message, StringComparison.Ordinal);
        await CreateAsync(Hosted("db"));
    }

    [Fact]
    public async Task A_canary_serves_with_a_service_that_it_can_serve()
    {
        await CreateAsync(Spec("web", 8080));
        await CreateAsync(Spec("inner", 0) with { EndpointSpec = null });
        await CreateAsync(Spec("canary", 0, ("skep.balance.with", "web")) with { EndpointSpec = null });
        Assert.Contains("canary has the same label", (await RefusedAsync(Spec("second", 0, ("skep.balance.with", "canary")))).Message, StringComparison.Ordinal);
        Assert.Contains("nothing to serve", (await RefusedAsync(Spec("second", 0, ("skep.balance.with", "inner")))).Message, StringComparison.Ordinal);

        var early = Spec("early", 0, ("skep.balance.with", "late"), ("com.docker.stack.namespace", "shop"));
        await CreateAsync(early);
        Assert.Equal(["label skep.balance.with: there is no service shop_late or late yet; the label has no effect until there is"], ServiceCanaries.Warnings(early, _store.Current));
        Assert.Empty(ServiceCanaries.Warnings(Spec("x", 0, ("skep.balance.with", "web")), _store.Current));
    }

    private static SwarmNode Node(string id, string hostname, string edge, params HostListener[] listeners) => new()
    {
        Id = id,
        Spec = new NodeSpec { Labels = new Dictionary<string, string> { ["edge"] = edge } },
        Description = new NodeDescription { Hostname = hostname, Listeners = listeners },
    };

    private static ServiceSpec Spec(string name, uint port, params (string Name, string Value)[] labels) => Spec(name, port, "tcp", labels);

    private static ServiceSpec Spec(string name, uint port, string protocol, params (string Name, string Value)[] labels) => new()
    {
        Name = name,
        Labels = labels.ToDictionary(l => l.Name, l => l.Value),
        TaskTemplate = new() { ContainerSpec = new() { Image = "nginx" } },
        EndpointSpec = new() { Ports = [new() { PublishedPort = port, TargetPort = 80, Protocol = protocol, PublishMode = "ingress" }] },
    };

    private Task<string> CreateAsync(ServiceSpec spec) => _control.CreateAsync(spec, registryAuth: null, Cancelled);

    private Task UpdateAsync(string id, ServiceSpec spec) =>
        _control.UpdateAsync(id, _store.Current.Services[id].Version, spec, RegistryAuthSource.Of(null, null), Cancelled);

    private Task<ClusterException> RefusedAsync(ServiceSpec spec) => Assert.ThrowsAsync<ClusterException>(() => CreateAsync(spec));
}
