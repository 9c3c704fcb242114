using Skep.Kernel.Netlink.Headers;

namespace Skep.Kernel.Nftables;

/// <summary>The numbers that nfnetlink has for families (NFPROTO_… of linux/netfilter.h).</summary>
internal static class NftNumbers
{
    public static byte Of(NftFamily family) => family switch
    {
        NftFamily.Ip => AddressFamilies.AF_INET,
        NftFamily.Ip6 => AddressFamilies.AF_INET6,
        NftFamily.Inet => 1,
        NftFamily.Arp => 3,
        NftFamily.Netdev => 5,
        NftFamily.Bridge => AddressFamilies.AF_BRIDGE,
        _ => throw new ArgumentOutOfRangeException(nameof(family), family, "no nftables family"),
    };

    public static NftFamily? FamilyOf(uint number) => Enum.GetValues<NftFamily>().Cast<NftFamily?>().FirstOrDefault(f => Of(f!.Value) == number);
}
