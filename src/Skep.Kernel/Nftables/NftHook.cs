namespace Skep.Kernel.Nftables;

/// <summary>Where a base chain hangs in the packets' way (nft(8), CHAINS).</summary>
/// <param name="Type">filter, nat or route.</param>
/// <param name="Hook">prerouting, input, forward, output or postrouting.</param>
/// <param name="Priority">A number or a name such as <c>dstnat</c> or <c>mangle + 10</c>; smaller comes first.</param>
/// <param name="Policy">accept or drop, for packets that come to the chain's end.</param>
public sealed record NftHook(string Type, string Hook, string Priority, string Policy = "accept")
{
    public override string ToString() => $"{{ type {Type} hook {Hook} priority {Priority}; policy {Policy}; }}";
}
