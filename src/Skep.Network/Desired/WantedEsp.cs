using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;

namespace Skep.Network.Desired;

/// <summary>
/// Packets to <paramref name="Port"/> leave and enter through ESP or not at all. While the keys are not known, what the kernel has of
/// them stays as it is: an earlier daemon put it there.
/// </summary>
public sealed record WantedEsp(ushort Port, bool KeysKnown)
{
    /// <summary>"Skep" in ASCII; by it our states and policies are told from others'.</summary>
    public const uint RequestId = 0x536b6570;

    public ImmutableArray<WantedEspPeer> Peers { get; init; } = [];

    /// <summary>The ids of the keys that are in use. While one is, a peer that left may come back with the states that it had.</summary>
    public ImmutableArray<string> Keys { get; init; } = [];
}

/// <summary>One peer: a state each way for every key, and the SPI that is sent with.</summary>
public sealed record WantedEspPeer(IPAddress Local, IPAddress Address, uint SendingSpi, ImmutableArray<WantedEspState> States)
{
    public bool Equals(WantedEspPeer? other) =>
        other is not null && Local.Equals(other.Local) && Address.Equals(other.Address) && SendingSpi == other.SendingSpi && States.SequenceEqual(other.States);

    public override int GetHashCode() => HashCode.Combine(Address, SendingSpi);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Address} sending 0x{SendingSpi:x8}, states {string.Join(' ', States.Select(s => $"{(s.Source.Equals(Local) ? "out" : "in")} 0x{s.Spi:x8}"))}");
}

/// <summary>One direction with one key.</summary>
public sealed record WantedEspState(IPAddress Source, IPAddress Destination, uint Spi, EspSecret Secret)
{
    /// <summary>The id of the key that it was derived from.</summary>
    public string KeyId { get; init; } = "";
}

/// <summary>Twenty bytes that are never printed.</summary>
public sealed class EspSecret(byte[] bytes) : IEquatable<EspSecret>
{
    public ReadOnlySpan<byte> Bytes => bytes;

    public bool Equals(EspSecret? other) => other is not null && CryptographicOperations.FixedTimeEquals(Bytes, other.Bytes);

    public override bool Equals(object? obj) => Equals(obj as EspSecret);

    public override int GetHashCode() => 0;

    public override string ToString() => "(key)";
}
