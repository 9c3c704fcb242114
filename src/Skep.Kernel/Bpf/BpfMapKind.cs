namespace Skep.Kernel.Bpf;

/// <summary>Kinds of maps by their numbers in linux/bpf.h.</summary>
public enum BpfMapKind
{
    Hash = 1,

    /// <summary>Keys are numbers from nought on; every element is always there.</summary>
    Array = 2,

    /// <summary>A hash that forgets what was used longest ago when it is full.</summary>
    LruHash = 9,

    /// <summary>An array whose elements are maps.</summary>
    ArrayOfMaps = 12,
}
