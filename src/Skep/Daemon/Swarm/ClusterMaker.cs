using System.Net;
using System.Net.Sockets;
using Skep.Manager.Allocation;
using Skep.Manager.Certificates;
using Skep.Model.Errors;
using Skep.Model.Identity;
using Skep.Model.Objects;
using Skep.Model.Specs;
using Skep.Protocol.Records;
using NodeObject = Skep.Model.Objects.SwarmNode;

namespace Skep.Daemon.Swarm;

/// <summary>Makes a swarm: its one cluster object, its authority's key under wraps, and its first node's identity.</summary>
internal static class ClusterMaker
{
    private const int DefaultSubnetSize = 24;
    private const uint DefaultDataPathPort = 4789;

    /// <summary>The cluster object that a request asks for, without identity and keys.</summary>
    /// <exception cref="ClusterException">InvalidArgument, with every problem of the request.</exception>
    public static SwarmCluster Check(SwarmInit request)
    {
        var problems = new List<string>();
        var port = request.DataPathPort == 0 ? DefaultDataPathPort : request.DataPathPort;
        if (port is < 1024 or > 49151)
        {
            problems.Add("Invalid data path port: the port must be between 1024 and 49151");
        }

        var size = request.SubnetSize == 0 ? DefaultSubnetSize : request.SubnetSize;
        foreach (var text in request.DefaultAddressPool)
        {
            if (!IPNetwork.TryParse(text, out var pool))
            {
                problems.Add($"invalid CIDR address: {text}");
            }
            else if (pool.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6)
            {
                if (pool.PrefixLength > UniqueLocal.SubnetSize)
                {
                    problems.Add($"invalid default address pool {text}: IPv6 networks are /64, so the pool must be at least that large");
                }
            }
            else if (size < pool.PrefixLength || size > 29)
            {
                problems.Add($"invalid default address pool mask length {size}: it must be at most 29 and at least that of {text}");
            }
        }

        if (request.Availability is not ("" or NodeSpec.Active or NodeSpec.Pause or NodeSpec.Drain))
        {
            problems.Add($"invalid Availability: \"{request.Availability}\"");
        }

        if (problems.Count > 0)
        {
            throw ClusterException.Invalid(string.Join("; ", problems));
        }

        return new SwarmCluster
        {
            Id = ObjectId.New(),
            Spec = WithDefaults(request.Spec),
            DefaultAddressPool = request.DefaultAddressPool,
            SubnetSize = size,
            DataPathPort = (int)port,
            WorkerTokenSecret = JoinToken.NewSecret(),
            ManagerTokenSecret = JoinToken.NewSecret(),
        };
    }

    /// <summary>Writes identity and keys into the folder and returns the objects of the first transaction.</summary>
    public static FoundedSwarm Found(
        SwarmCluster cluster, RootAuthority root, SwarmFolder folder, string controlAddress, string availability, TimeProvider clock)
    {
        var key = KeyWrap.NewKey();
        RecordFile.Write(folder.ManagerKey, key);
        var now = clock.GetUtcNow();
        var nodeId = ObjectId.New();
        var (request, keyPem) = NodeIdentity.NewKey();
        var certificate = root.Sign(request, nodeId, NodeSpec.Manager, cluster.Id, RootAuthority.DefaultNodeLifetime);
        var identity = NodeIdentity.Save(folder.Certificates, root.CertificatePem, certificate, keyPem);
        var node = new NodeObject
        {
            Id = nodeId,
            CreatedAt = now,
            UpdatedAt = now,
            Role = NodeSpec.Manager,
            Spec = new NodeSpec { Role = NodeSpec.Manager, Availability = availability.Length > 0 ? availability : NodeSpec.Active },
            ManagerStatus = new ManagerStatus { Leader = true, Reachability = "reachable", Addr = controlAddress },
        };
        return new FoundedSwarm(
            cluster with
            {
                CreatedAt = now,
                UpdatedAt = now,
                RootCertificate = root.CertificatePem,
                WrappedRootKey = KeyWrap.Wrap(key, root.ExportKey()),
            },
            node,
            identity);
    }

    /// <summary>The figures that clients read back; what the user set stays.</summary>
    private static ClusterSpec WithDefaults(ClusterSpec spec) => spec with
    {
        Name = "default",
        Orchestration = spec.Orchestration with { TaskHistoryRetentionLimit = spec.Orchestration.TaskHistoryRetentionLimit ?? 5 },
        Raft = spec.Raft with
        {
            SnapshotInterval = spec.Raft.SnapshotInterval ?? 10000,
            KeepOldSnapshots = spec.Raft.KeepOldSnapshots ?? 0,
            LogEntriesForSlowFollowers = spec.Raft.LogEntriesForSlowFollowers ?? 500,
            ElectionTick = spec.Raft.ElectionTick == 0 ? 10 : spec.Raft.ElectionTick,
            HeartbeatTick = spec.Raft.HeartbeatTick == 0 ? 1 : spec.Raft.HeartbeatTick,
        },
        Dispatcher = spec.Dispatcher with { HeartbeatPeriod = spec.Dispatcher.HeartbeatPeriod ?? 5_000_000_000 },
        CAConfig = spec.CAConfig with { NodeCertExpiry = spec.CAConfig.NodeCertExpiry ?? (long)RootAuthority.DefaultNodeLifetime.TotalMicroseconds * 1000 },
    };
}

/// <summary>A new swarm before it runs.</summary>
internal sealed record FoundedSwarm(SwarmCluster Cluster, NodeObject Node, NodeIdentity Identity);
