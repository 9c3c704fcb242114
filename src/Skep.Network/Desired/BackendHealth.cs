using System.Collections.Immutable;
using System.Net;

namespace Skep.Network.Desired;

/// <summary>
/// What this node has found out by itself about the backends of its services, beyond the plan: proofs of its own packets. A value;
/// the newest replaces the one before.
/// </summary>
public sealed record BackendHealth
{
    public static readonly BackendHealth Unknown = new();

    /// <summary>Nodes that answer nothing through the tunnels, by id.</summary>
    public ImmutableHashSet<string> SilentNodes { get; init; } = ImmutableHashSet.Create<string>(StringComparer.Ordinal);

    /// <summary>Ports of backends that refuse.</summary>
    public ImmutableHashSet<RefusingPort> Refusing { get; init; } = [];

    /// <summary>Ports of services on which a backend has answered lately: a refusal there is one backend's fault, not the client's.</summary>
    public ImmutableHashSet<AnsweringPort> Answering { get; init; } = [];
}

/// <summary>A port of one backend. Protocol is IP's number: 6 = TCP, 17 = UDP.</summary>
public sealed record RefusingPort(string NetworkId, string ServiceId, IPAddress Address, byte Protocol, ushort Port);

/// <summary>A port of a service's backends.</summary>
public sealed record AnsweringPort(string NetworkId, string ServiceId, byte Protocol, ushort Port);
