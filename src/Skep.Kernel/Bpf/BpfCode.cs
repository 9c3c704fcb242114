using System.Collections.Immutable;

namespace Skep.Kernel.Bpf;

/// <summary>An assembled program: struct bpf_insn words, and the names of the maps whose descriptors some of them take when it is loaded.</summary>
public sealed record BpfCode(ImmutableArray<ulong> Words, ImmutableArray<BpfMapReference> Maps);

/// <summary>The word at <paramref name="Index"/> loads the map of that name.</summary>
public readonly record struct BpfMapReference(int Index, string Map);
