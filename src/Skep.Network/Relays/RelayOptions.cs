namespace Skep.Network.Relays;

/// <summary>What a relay must know.</summary>
public sealed record RelayOptions
{
    /// <summary>Where it listens: a port of ingress_sbox outside of those that the kernel hands out by itself.</summary>
    public ushort Port { get; init; } = Desired.RelayTables.Port;

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
