using System.Collections.Immutable;

namespace Skep.Network.Desired.Classic;

/// <summary>What one chain of iptables must hold; rules as <c>iptables-save</c> prints them, without the leading <c>-A NAME</c>.</summary>
/// <param name="Table">nat, mangle or filter.</param>
/// <param name="Name">The chain.</param>
/// <param name="Rules">In order.</param>
public sealed record WantedIptablesChain(string Table, string Name, ImmutableArray<string> Rules)
{
    /// <summary>Chains of the kernel are shared with others: our rules stand in them, before or behind theirs. Chains of ours hold nothing else.</summary>
    public bool BuiltIn => Name is "PREROUTING" or "INPUT" or "FORWARD" or "OUTPUT" or "POSTROUTING";

    /// <summary>For the rules of users: made if it is not there, and from then on theirs. What stands in it is neither read nor removed.</summary>
    public bool OfUsers { get; init; }

    public bool Equals(WantedIptablesChain? other) =>
        other is not null && (Table, Name, OfUsers) == (other.Table, other.Name, other.OfUsers) && Rules.SequenceEqual(other.Rules);

    public override int GetHashCode() => HashCode.Combine(Table, Name, Rules.Length);
}

/// <summary>A virtual server of IPVS (scheduler rr, address translation): packets with this mark go to these in turn.</summary>
/// <param name="Mark">The firewall mark.</param>
/// <param name="Servers">By address; weight 0 takes no new flows.</param>
public sealed record WantedVirtualServer(uint Mark, ImmutableSortedDictionary<string, uint> Servers)
{
    public bool Equals(WantedVirtualServer? other) => other is not null && Mark == other.Mark && Servers.SequenceEqual(other.Servers);

    public override int GetHashCode() => HashCode.Combine(Mark, Servers.Count);
}
