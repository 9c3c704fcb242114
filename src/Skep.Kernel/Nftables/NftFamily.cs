namespace Skep.Kernel.Nftables;

/// <summary>Which packets a table sees (nft(8), ADDRESS FAMILIES).</summary>
public enum NftFamily
{
    Ip,
    Ip6,
    Inet,
    Arp,
    Bridge,
    Netdev,
}
