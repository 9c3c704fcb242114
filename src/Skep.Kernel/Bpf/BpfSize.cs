namespace Skep.Kernel.Bpf;

/// <summary>The width of a load or a store, as the instruction's code holds it (linux/bpf_common.h, linux/bpf.h).</summary>
public enum BpfSize
{
    /// <summary>Four bytes.</summary>
    Word = 0x00,

    /// <summary>Two bytes.</summary>
    Half = 0x08,

    Byte = 0x10,

    /// <summary>Eight bytes.</summary>
    Double = 0x18,
}
