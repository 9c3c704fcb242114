namespace Skep.Kernel.Ipvs;

/// <summary>A virtual server: packets with this firewall mark, of IPv4, shared out by this scheduler (<c>rr</c>).</summary>
public sealed record IpvsService(uint Mark, string Scheduler);
