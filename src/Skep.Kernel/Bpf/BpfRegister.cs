namespace Skep.Kernel.Bpf;

/// <summary>The machine's registers: R0 holds results, R1 to R5 arguments, R6 to R9 outlive calls, R10 is the (read-only) frame.</summary>
public enum BpfRegister
{
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    R10,
}
