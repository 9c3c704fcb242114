using Skep.Kernel.Nftables;
using Skep.Network.Desired;
using Skep.Network.Reconcile;

namespace Skep.Network;

/// <summary>Leads 127.0.0.11:53 to a name server that stands alone, without a node's network that keeps these rules.</summary>
public static class NameRules
{
    public static NftTransaction Transaction { get; } = TableChanges.Between(NameTable.Wanted, null, new Dictionary<string, (string, string)>()).First;
}
