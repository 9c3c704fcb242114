namespace Skep.Kernel.Routes;

/// <summary>What becomes of a packet: RTN_… of linux/rtnetlink.h.</summary>
public enum RouteType : byte
{
    Unicast = 1,
    Local = 2,
    Broadcast = 3,
    Anycast = 4,
    Multicast = 5,
    Blackhole = 6,
    Unreachable = 7,
    Prohibit = 8,
}
