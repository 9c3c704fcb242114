namespace Skep.Network.Reconcile;

/// <summary>The parts of a namespace's state that are read back apart from each other.</summary>
[Flags]
internal enum SpaceParts
{
    None = 0,

    /// <summary>Links, addresses, routes, rules, neighbours, forwarding: what rtnetlink tells of.</summary>
    Routing = 1,

    /// <summary>nftables.</summary>
    Tables = 2,

    /// <summary>Settings below /proc/sys, of which the kernel tells nothing.</summary>
    Settings = 4,

    /// <summary>IPsec states and policies; only the host's.</summary>
    Esp = 8,

    All = Routing | Tables | Settings | Esp,
}
