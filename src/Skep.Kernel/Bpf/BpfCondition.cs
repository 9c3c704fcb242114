namespace Skep.Kernel.Bpf;

/// <summary>What a jump asks of two 64-bit numbers, without sign, as the instruction's code holds it (linux/bpf_common.h, linux/bpf.h).</summary>
public enum BpfCondition
{
    Equal = 0x10,
    Greater = 0x20,
    GreaterOrEqual = 0x30,
    NotEqual = 0x50,
    Less = 0xa0,
    LessOrEqual = 0xb0,
}
