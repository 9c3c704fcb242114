using Skep.Kernel.Sysctl;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>Settings below /proc/sys/net.</summary>
internal static class SettingStep
{
    /// <summary>Settings that need no link of this pass' making; they hold before the first frame passes.</summary>
    public static void ApplyEarly(SpacePass pass) => Apply(pass, early: true);

    /// <summary>Settings of links that this namespace makes itself.</summary>
    public static void ApplyLate(SpacePass pass) => Apply(pass, early: false);

    private static void Apply(SpacePass pass, bool early)
    {
        foreach (var sysctl in pass.Parts.Frame.Sysctls.Where(s => (!s.Once || pass.Space.Fresh) && NamesLink(pass, s) != early))
        {
            Set(pass, sysctl);
        }
    }

    private static bool NamesLink(SpacePass pass, WantedSysctl sysctl) =>
        pass.Parts.Frame.Links.Any(l => sysctl.Name.Contains($".{l.Name}.", StringComparison.Ordinal));

    private static void Set(SpacePass pass, WantedSysctl sysctl)
    {
        try
        {
            var value = SysctlFile.Get(pass.Space.Namespace, sysctl.Name);
            if (value != sysctl.Value)
            {
                pass.Differs(RepairKind.Setting, RepairCause.Changed, $"{sysctl.Name} was {value}");
                SysctlFile.Set(pass.Space.Namespace, sysctl.Name, sysctl.Value);
            }
        }
        catch (IOException) when (sysctl.Optional)
        {
            // This kernel has no such setting, and nothing that it would change.
        }
    }
}
