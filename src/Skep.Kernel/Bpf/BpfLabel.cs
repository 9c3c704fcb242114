namespace Skep.Kernel.Bpf;

/// <summary>A place in a program that jumps lead to; put by <see cref="BpfAssembler.Mark"/>.</summary>
public sealed class BpfLabel
{
    internal int? Place { get; set; }
}
