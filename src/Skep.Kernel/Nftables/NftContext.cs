using System.Runtime.InteropServices;

namespace Skep.Kernel.Nftables;

/// <summary>struct nft_ctx: holds a netlink socket of the namespace that it was made in.</summary>
internal sealed class NftContext() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibNftables.FreeContext(handle);
        return true;
    }
}
