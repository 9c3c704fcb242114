namespace Skep.Kernel.Links;

/// <summary>A network link as the kernel holds it (RTM_NEWLINK, rtnetlink(7)).</summary>
/// <param name="Index">Its number in its namespace.</param>
/// <param name="Name">Its name, 1 to 15 bytes.</param>
/// <param name="Kind">bridge, veth, vxlan …; null for links without a kind, such as lo.</param>
/// <param name="Mac">Its Ethernet address in small letters; empty if it has none.</param>
/// <param name="Mtu">Largest packet in bytes.</param>
/// <param name="Up">Whether it is switched on (IFF_UP).</param>
/// <param name="Master">Index of the bridge it is a port of; 0 = none.</param>
/// <param name="PeerIndex">IFLA_LINK: index of a veth's other end, in the other end's namespace; 0 = none.</param>
/// <param name="Vxlan">What a VXLAN device was made with.</param>
/// <param name="Hairpin">For bridge ports: whether frames may leave where they came in.</param>
/// <param name="Alias">The free text that is attached to it.</param>
/// <param name="Port">For bridge ports: all that <see cref="BridgePortChange"/> can set.</param>
public sealed record Link(
    int Index, string Name, string? Kind, string Mac, int Mtu, bool Up, int Master, int PeerIndex,
    VxlanOptions? Vxlan, bool? Hairpin, string? Alias, BridgePortChange? Port = null)
{
    /// <summary>For bridges: all that <see cref="BridgeChange"/> can set.</summary>
    public BridgeChange? Bridge { get; init; }

    /// <summary>It is up and so is what it is connected to, or the kernel does not know better.</summary>
    public bool HasCarrier { get; init; }
}
