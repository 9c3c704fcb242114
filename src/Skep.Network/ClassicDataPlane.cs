using Skep.Kernel.Iptables;
using Skep.Kernel.Ipvs;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Model.Errors;

namespace Skep.Network;

/// <summary>What the classic data plane needs of its machine.</summary>
public static class ClassicDataPlane
{
    /// <summary>Throws FailedPrecondition and says what is missing: IPVS in the kernel, or the iptables tools.</summary>
    public static async Task CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            IpvsTable.Open().Dispose();
        }
        catch (NetlinkException missing)
        {
            throw new ClusterException(
                ErrorKind.FailedPrecondition,
                $"The data plane 'classic' needs IPVS in the kernel, and this one has none ({missing.Message}). Try: modprobe ip_vs; or use --data-plane nftables.",
                missing);
        }

        try
        {
            using var host = NetworkNamespace.Open("/proc/self/ns/net");
            await new IptablesTool(host).ReadAsync(cancellationToken);
        }
        catch (IptablesException missing)
        {
            throw new ClusterException(ErrorKind.FailedPrecondition, $"The data plane 'classic' needs iptables: {missing.Message}", missing);
        }
    }
}
