namespace Skep.Kernel.Bpf;

/// <summary>What a map is made of. Sizes in bytes; a name has at most 15 letters, digits, dots and underlines.</summary>
public sealed record BpfMapShape(string Name, BpfMapKind Kind, int KeySize, int ValueSize, int Capacity)
{
    /// <summary>The elements can be reached as memory of this process (arrays only); programs see each write of eight bytes whole.</summary>
    public bool InMemory { get; init; }

    /// <summary>Elements take memory when they come, not all at once (hashes only).</summary>
    public bool OnDemand { get; init; }
}
