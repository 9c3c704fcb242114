namespace Skep.Kernel.Nftables;

/// <summary>A table's name with its family; prints as nft writes it: <c>ip balancer</c>.</summary>
public readonly record struct NftTable(NftFamily Family, string Name)
{
    public override string ToString() => $"{Word(Family)} {Name}";

    internal static string Word(NftFamily family) => family switch
    {
        NftFamily.Ip => "ip",
        NftFamily.Ip6 => "ip6",
        NftFamily.Inet => "inet",
        NftFamily.Arp => "arp",
        NftFamily.Bridge => "bridge",
        NftFamily.Netdev => "netdev",
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "no nftables family"),
    };
}
