namespace Skep.Kernel.Bpf;

/// <summary>Functions of the kernel that a program may call, by their numbers in linux/bpf.h; bpf-helpers(7).</summary>
public enum BpfHelper
{
    /// <summary>R1 map, R2 key; the value's place or 0.</summary>
    MapLookup = 1,

    /// <summary>R1 map, R2 key, R3 value, R4 flags (0: whether there or not).</summary>
    MapUpdate = 2,

    /// <summary>R1 map, R2 key.</summary>
    MapDelete = 3,

    /// <summary>Nanoseconds that the machine has run.</summary>
    Time = 5,

    /// <summary>A number of 32 random bits.</summary>
    Random = 7,

    /// <summary>R1 context; a number that no other socket has as long as the kernel runs.</summary>
    SocketCookie = 46,

    /// <summary>R1 context; a number that no other network namespace has as long as the kernel runs.</summary>
    NamespaceCookie = 122,
}
