using Skep.Kernel.Sysctl;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>Settings below /proc/sys/net.</summary>
internal static class SettingStep
{
    private const int MostLooks = 3;

    /// <summary>Settings that need no link of this pass' making; they hold before the first frame passes.</summary>
    public static void ApplyEarly(SpacePass pass) => Apply(pass, early: true);

    /// <summary>Settings of links that this namespace makes itself.</summary>
    public static void ApplyLate(SpacePass pass) => Apply(pass, early: false);

    private static void Apply(SpacePass pass, bool early)
    {
        var wanted = pass.Parts.Frame.Sysctls.Where(s => (!s.Once || pass.Space.Fresh) && NamesLink(pass, s) != early).ToList();
        // One setting may move another, as net.ipv4.ip_forward does; a change is followed by another look.
        for (var looks = 0; wanted.Count > 0 && looks < MostLooks && Set(pass, wanted); looks++)
        {
        }
    }

    private static bool NamesLink(SpacePass pass, WantedSysctl sysctl) =>
        pass.Parts.Frame.Links.Any(l => sysctl.Name.Contains($".{l.Name}.", StringComparison.Ordinal));

    // True: some were set.
    private static bool Set(SpacePass pass, List<WantedSysctl> wanted)
    {
        var set = false;
        foreach (var (sysctl, value) in wanted.Zip(SysctlFile.Get(pass.Space.Namespace, [.. wanted.Select(s => s.Name)])))
        {
            if (value != sysctl.Value && (value is not null || !sysctl.Optional))
            {
                pass.Differs(RepairKind.Setting, RepairCause.Changed, $"{sysctl.Name} was {value}");
                set |= TrySet(pass, sysctl);
            }
        }

        return set;
    }

    private static bool TrySet(SpacePass pass, WantedSysctl sysctl)
    {
        try
        {
            SysctlFile.Set(pass.Space.Namespace, sysctl.Name, sysctl.Value);
            return true;
        }
        catch (IOException) when (sysctl.Optional)
        {
            // This kernel does not let it be set, and has nothing that it would change.
            return false;
        }
    }
}
