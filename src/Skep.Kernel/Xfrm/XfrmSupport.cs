using System.Net;
using System.Security.Cryptography;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;

namespace Skep.Kernel.Xfrm;

/// <summary>Whether the kernel can encrypt as we do. It is asked to: module names and configurations tell less.</summary>
public static class XfrmSupport
{
    // RFC 5737's and RFC 3849's addresses for documentation: no packet ever goes there.
    private static readonly (string Source, string Destination, string Feature)[] s_families =
    [
        ("192.0.2.1", "192.0.2.2", "CONFIG_INET_ESP"),
        ("2001:db8::1", "2001:db8::2", "CONFIG_INET6_ESP"),
    ];

    /// <summary>Whether the kernel has IPsec at all, with or without ESP.</summary>
    public static bool IsThere(NetworkNamespace ns)
    {
        try
        {
            XfrmTable.Open(ns).Dispose();
            return true;
        }
        catch (NetlinkException)
        {
            return false;
        }
    }

    /// <summary>What is missing for packets between addresses of this family, in words for the user; null = nothing.</summary>
    public static string? Missing(NetworkNamespace ns, bool six)
    {
        var (source, destination, feature) = s_families[six ? 1 : 0];
        try
        {
            using var table = XfrmTable.Open(ns);
            var probe = new XfrmState(IPAddress.Parse(source), IPAddress.Parse(destination), 0x536b6570, 0, new XfrmKey(RandomNumberGenerator.GetBytes(XfrmKey.Size)));
            // One that an earlier process left when it was killed just here.
            table.DeleteStates([probe]);
            table.AddStates([probe]);
            table.DeleteStates([probe]);
            return null;
        }
        catch (NetlinkException refused)
        {
            return $"its kernel lacks ESP with AES-GCM ({feature}, CONFIG_CRYPTO_GCM, CONFIG_XFRM_USER): {refused.Message}";
        }
    }
}
