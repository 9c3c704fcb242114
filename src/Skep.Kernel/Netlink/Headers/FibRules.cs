namespace Skep.Kernel.Netlink.Headers;

/// <summary>linux/fib_rules.h.</summary>
internal static class FibRules
{
    public const ushort FRA_DST = 1;
    public const ushort FRA_SRC = 2;
    public const ushort FRA_PRIORITY = 6;
    public const ushort FRA_FWMARK = 10;
    public const ushort FRA_SUPPRESS_PREFIXLEN = 14;
    public const ushort FRA_TABLE = 15;
    public const ushort FRA_FWMASK = 16;
    public const ushort FRA_PROTOCOL = 21;

    public const byte FR_ACT_TO_TBL = 1;
    public const uint FIB_RULE_INVERT = 2;
}
