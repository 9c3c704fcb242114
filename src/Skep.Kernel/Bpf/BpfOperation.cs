namespace Skep.Kernel.Bpf;

/// <summary>Arithmetic on 64 bits, as the instruction's code holds it (linux/bpf_common.h, linux/bpf.h).</summary>
public enum BpfOperation
{
    Add = 0x00,
    Subtract = 0x10,
    Or = 0x40,
    And = 0x50,
    ShiftLeft = 0x60,
    ShiftRight = 0x70,

    /// <summary>The remainder without sign; by nought it leaves the number as it is.</summary>
    Remainder = 0x90,

    Move = 0xb0,
}
