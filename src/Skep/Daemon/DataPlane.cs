namespace Skep.Daemon;

/// <summary>How packets are balanced: <see cref="Nftables"/> keeps the client's address; <see cref="Classic"/> is iptables and IPVS.</summary>
public enum DataPlane
{
    Nftables,
    Classic,
}
