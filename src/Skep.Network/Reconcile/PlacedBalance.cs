using Skep.Kernel.Nftables;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>A balance as it is in the kernel: its key, its chain, and the numbers of its backends.</summary>
/// <param name="Key">As the kernel keeps it.</param>
/// <param name="Chain">The chain that the key leads to and no other key does; empty when there is none such.</param>
/// <param name="Numbers">The elements of the map of backends that are its own.</param>
/// <param name="Holds">The wish that it fulfils; null when it is none that we know.</param>
internal sealed record PlacedBalance(NftBytes Key, string Chain, NumberRange Numbers, WantedBalance? Holds);

/// <summary>Numbers from <paramref name="Offset"/> on. Missing lists those of them that are not there.</summary>
internal readonly record struct NumberRange(uint Offset, uint Length, IReadOnlySet<uint>? Missing = null)
{
    public IEnumerable<NftBytes> There()
    {
        for (var i = 0u; i < Length; i++)
        {
            if (Missing?.Contains(Offset + i) != true)
            {
                yield return NftBytes.Of(Offset + i);
            }
        }
    }
}
