using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Skep.Model.Objects;
using Skep.Model.Plans;
using Skep.Model.Specs;
using Skep.Model.States;
using Skep.Protocol.Records;

namespace Skep.UnitTests.Protocol;

/// <summary>
/// Records outlive the program that wrote them. Their bytes are pinned here: a change of a name or a form shows as a change of a
/// file in Goldens, and needs a reader for the old form. SKEP_ACCEPT=1 writes the files anew.
/// </summary>
public sealed class RecordGoldenTests
{
    private static readonly DateTimeOffset s_time = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly SwarmObject[] s_objects =
    [
        new SwarmCluster
        {
            Id = "c1", CreatedAt = s_time, UpdatedAt = s_time, Version = 9, RootCertificate = "PEM", WrappedRootKey = [1, 2, 3],
            WorkerTokenSecret = "w", ManagerTokenSecret = "m", DefaultAddressPool = ["10.0.0.0/8"],
        },
        new SwarmNode
        {
            Id = "n1", CreatedAt = s_time, UpdatedAt = s_time, Role = NodeSpec.Manager, DataPathAddress = "192.0.2.1", IngressAddress = "10.0.0.2/24",
            Spec = new NodeSpec { Role = NodeSpec.Manager, Availability = NodeSpec.Drain, Labels = new Dictionary<string, string> { ["zone"] = "a" } },
            Description = new NodeDescription { Hostname = "host1", Resources = new ResourceAmounts { NanoCPUs = 2_000_000_000, MemoryBytes = 1024 } },
            Status = new NodeStatus { State = NodeState.Ready, Addr = "192.0.2.1", AppliedRevision = 7 },
            ManagerStatus = new ManagerStatus { Leader = true, Reachability = "reachable", Addr = "192.0.2.1:2377" },
        },
        new SwarmNetwork
        {
            Id = "net1", CreatedAt = s_time, UpdatedAt = s_time, Vni = 4097, Subnets = [new IpamConfig { Subnet = "10.0.1.0/24", Gateway = "10.0.1.1" }],
            Spec = new NetworkSpec { Name = "front", Attachable = true, DriverConfiguration = new Driver { Name = "overlay" } },
        },
        new SwarmService
        {
            Id = "s1", CreatedAt = s_time, UpdatedAt = s_time, SpecVersion = 3,
            Spec = new ServiceSpec
            {
                Name = "web",
                Mode = new ServiceMode { Replicated = new ReplicatedMode { Replicas = 2 } },
                TaskTemplate = new TaskSpec { ContainerSpec = new ContainerSpec { Image = "web:1", Args = ["run"], PullOptions = new PullOptions { RegistryAuth = "x" } } },
                EndpointSpec = new EndpointSpec { Ports = [new PortConfig { Protocol = "tcp", TargetPort = 80, PublishedPort = 8080 }] },
            },
            Endpoint = new ServiceEndpoint { VirtualIPs = [new VirtualIp("net1", "10.0.1.2/24")] },
            UpdateStatus = new UpdateStatus { State = UpdateState.RollbackStarted, StartedAt = s_time, Message = "m" },
        },
        new SwarmTask
        {
            Id = "t1", CreatedAt = s_time, UpdatedAt = s_time, ServiceId = "s1", ServiceName = "web", Slot = 1, NodeId = "n1", SpecVersion = 3,
            Spec = new TaskSpec { ContainerSpec = new ContainerSpec { Image = "web:1" } }, DesiredState = TaskState.Shutdown, StartAfter = s_time,
            Attachments = [new TaskAttachment("net1", ["10.0.1.5/24"]) { Aliases = ["w"] }],
            Status = new SwarmTaskStatus
            {
                Timestamp = s_time, State = TaskState.Failed, Message = "started", Err = "task: non-zero exit (1)", AppliedAt = s_time,
                Container = new TaskContainerStatus { ContainerId = "abc", Pid = 7, ExitCode = 1 },
            },
        },
    ];

    [Fact]
    public void Every_kind_of_object_has_the_bytes_that_it_always_had()
    {
        Assert.Equal(Enum.GetValues<ObjectKind>(), s_objects.Select(o => o.Kind));
        foreach (var value in s_objects)
        {
            var bytes = RecordCodec.Encode(value);
            Compare($"{value.Kind}.json", bytes);
            var back = RecordCodec.Decode(value.Kind, bytes, 42);
            Assert.Equal(42ul, back.Version);
            Assert.Equal(bytes, RecordCodec.Encode(back));
        }
    }

    [Fact]
    public void The_records_of_a_plan_have_the_bytes_that_they_always_had()
    {
        Compare("PlanNetwork.json", RecordCodec.Encode(new PlanNetwork("net1", "front", 4097, [new IpamConfig { Subnet = "10.0.1.0/24" }]) { Encrypted = true, Mtu = 1400 }, RecordJson.Default.PlanNetwork));
        Compare("PlanPeer.json", RecordCodec.Encode(new PlanPeer("net1", "n1", "192.0.2.1") { Hostname = "host1", IngressAddress = "10.0.0.2/24" }, RecordJson.Default.PlanPeer));
        Compare("PlanEndpoint.json", RecordCodec.Encode(new PlanEndpoint("net1", "t1", "n1", ["10.0.1.5/24"]) { ServiceId = "s1", State = EndpointState.Draining, Names = ["web.1.t1"] }, RecordJson.Default.PlanEndpoint));
        Compare("PlanService.json", RecordCodec.Encode(new PlanService("net1", "s1", "web", ["10.0.1.2/24"]) { Ports = [new PortConfig { TargetPort = 80, PublishedPort = 8080 }] }, RecordJson.Default.PlanService));
    }

    [Fact]
    public void A_reader_passes_over_what_a_newer_writer_added()
    {
        var record = "{\"Id\":\"n1\",\"Shape\":{\"Round\":true},\"Role\":\"worker\"}"u8;

        Assert.Equal("n1", RecordCodec.Decode(record, RecordJson.Default.SwarmNode).Id);
        Assert.Throws<JsonException>(() => RecordCodec.Decode("{\"Role\":\"worker\"}"u8, RecordJson.Default.SwarmNode));
        Assert.Throws<InvalidDataException>(() => RecordCodec.Decode("null"u8, RecordJson.Default.SwarmNode));
    }

    private static void Compare(string name, byte[] bytes, [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "Goldens", name);
        var text = Encoding.UTF8.GetString(bytes) + "\n";
        if (Environment.GetEnvironmentVariable("SKEP_ACCEPT") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.ReadAllText(path), text);
    }
}
