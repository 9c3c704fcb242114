namespace Skep.Network;

/// <summary>What kind of thing the kernel held otherwise than it should.</summary>
public enum RepairKind
{
    Namespace,
    Link,
    Address,
    Route,
    Rule,
    Neighbour,
    Forwarding,
    Setting,

    /// <summary>A table of packet rules.</summary>
    Table,
    Chain,

    /// <summary>An element of a set or map.</summary>
    Element,

    /// <summary>A balanced address or port, with its chain and its backends.</summary>
    Balance,

    /// <summary>An IPsec state or policy.</summary>
    Encryption,

    /// <summary>A program on sockets, or what its maps hold.</summary>
    Socket,
}

/// <summary>How it was otherwise.</summary>
public enum RepairCause
{
    Missing,
    Changed,

    /// <summary>It was there and nobody of us had asked for it.</summary>
    NotOurs,
}
