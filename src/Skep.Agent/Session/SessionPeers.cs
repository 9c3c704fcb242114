using System.Collections.Immutable;
using Google.Protobuf;
using Skep.Agent.Assignments;
using Skep.Model.Flow;
using Skep.Model.Objects;
using Skep.Protocol.Node;
using Skep.Protocol.Records;
using Skep.Rpc;

namespace Skep.Agent.Session;

/// <summary>Who talks to whom: the managers' addresses, this node's description, and what outlives the daemon.</summary>
public sealed class SessionPeers
{
    private int _turn;

    /// <summary>Node id and host:port of the managers; the first entry may have no id (the address that was joined).</summary>
    public required IReadOnlyList<(string NodeId, string Address)> Managers
    {
        get;
        set
        {
            // A greeting from a manager that does not know itself yet must not leave the node without anybody to call.
            if (value.Count > 0)
            {
                field = value;
                ManagersChanged?.Invoke(value);
            }
        }
    }

    /// <summary>Opens a channel to a manager at host:port with this node's certificate.</summary>
    public required Func<string, RpcChannel> Open { get; init; }

    public required Func<NodeDescription> Describe { get; init; }

    /// <summary>Says that <see cref="Describe"/> says something else; null = it never does.</summary>
    public Watched<IReadOnlyList<HostListener>?>? Listeners { get; init; }

    /// <summary>As <see cref="Listeners"/>: the node's part in keys is another.</summary>
    public Watched<string>? CipherGeneration { get; init; }

    /// <summary>As <see cref="Listeners"/>: the node has other routes or name servers.</summary>
    public Watched<IReadOnlyList<HostPrefix>?>? Prefixes { get; init; }

    public string AdvertiseAddress { get; init; } = "";
    public string DataPathAddress { get; init; } = "";

    /// <summary>The newest revision that the kernel holds.</summary>
    public required Watched<ulong> Applied { get; init; }

    /// <summary>What is wrong on the ways to other nodes.</summary>
    public Watched<ImmutableArray<string>> Findings { get; init; } = new([], (_, _) => false);

    /// <summary>How often this node put right what others had changed in its kernel, since the daemon's start.</summary>
    public Func<long> Repairs { get; init; } = () => 0;

    /// <summary>Keeps the assignments for the next start of the daemon.</summary>
    public required Action<AssignmentSet> Remember { get; init; }

    public Action<IReadOnlyList<(string NodeId, string Address)>>? ManagersChanged { get; init; }

    /// <summary>A channel to the next manager in turn.</summary>
    public RpcChannel Connect()
    {
        var managers = Managers;
        return Open(managers[(int)((uint)Interlocked.Increment(ref _turn) % managers.Count)].Address);
    }

    /// <summary>What <see cref="Describe"/> says, as it is sent.</summary>
    public ByteString Description() => ByteString.CopyFrom(RecordCodec.Encode(Describe(), RecordJson.Default.NodeDescription));

    public Hello Hello() => new()
    {
        Description = Description(),
        AdvertiseAddress = AdvertiseAddress,
        DataPathAddress = DataPathAddress,
    };
}
