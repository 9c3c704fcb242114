using System.Globalization;
using Skep.Kernel.Bpf;
using static Skep.Kernel.Bpf.BpfRegister;

namespace Skep.UnitTests.Kernel;

/// <summary>Each instruction against its bytes, as the kernel's instruction-set.rst gives them and llvm-objdump prints them.</summary>
public sealed class BpfAssemblerTests
{
    [Fact]
    public void Instructions_have_the_kernels_encoding()
    {
        var a = new BpfAssembler();
        a.Move(R6, R1);
        a.Move(R0, 1);
        a.Move(R2, -8);
        a.MoveLowerHalf(R1, R9);
        a.Compute(BpfOperation.Add, R2, R10);
        a.Compute(BpfOperation.Subtract, R0, R1);
        a.Compute(BpfOperation.And, R2, 0xff);
        a.Compute(BpfOperation.ShiftLeft, R1, 2);
        a.Compute(BpfOperation.ShiftRight, R1, 32);
        a.Compute(BpfOperation.Remainder, R2, R1);
        a.Load(BpfSize.Word, R1, R6, 4);
        a.Load(BpfSize.Double, R1, R10, -16);
        a.Load(BpfSize.Half, R1, R6, 2);
        a.Load(BpfSize.Byte, R1, R6, 1);
        a.Store(BpfSize.Double, R10, -32, R0);
        a.Store(BpfSize.Word, R10, -20, 7);
        a.FetchAndAdd(R7, 8, R2);
        a.Call(BpfHelper.NamespaceCookie);
        a.Exit();
        Assert.Equal(
        [
            "bf16000000000000", "b700000001000000", "b7020000f8ffffff", "bc91000000000000", "0fa2000000000000", "1f10000000000000",
            "57020000ff000000", "6701000002000000", "7701000020000000", "9f12000000000000", "6161040000000000", "79a1f0ff00000000",
            "6961020000000000", "7161010000000000", "7b0ae0ff00000000", "620aecff07000000", "db27080001000000", "850000007a000000",
            "9500000000000000",
        ],
        Bytes(a.Build()));
    }

    [Fact]
    public void A_map_takes_two_words_and_is_noted_by_name()
    {
        var a = new BpfAssembler();
        a.Exit();
        a.LoadMap(R1, "services");
        var code = a.Build();
        Assert.Equal(["9500000000000000", "1811000000000000", "0000000000000000"], Bytes(code));
        Assert.Equal([new BpfMapReference(1, "services")], code.Maps);
    }

    [Fact]
    public void Jumps_count_from_the_next_instruction_forwards_and_backwards()
    {
        var (a, back, end) = (new BpfAssembler(), new BpfLabel(), new BpfLabel());
        a.Mark(back);
        a.JumpIf(R0, BpfCondition.Equal, 0, end);
        a.JumpIf(R8, BpfCondition.GreaterOrEqual, R1, back);
        a.JumpIf(R1, BpfCondition.NotEqual, 17, end);
        a.Jump(back);
        a.Mark(end);
        a.Exit();
        Assert.Equal(["1500030000000000", "3d18feff00000000", "5501010011000000", "0500fcff00000000", "9500000000000000"], Bytes(a.Build()));
    }

    [Fact]
    public void What_cannot_be_written_is_refused()
    {
        var (a, lost) = (new BpfAssembler(), new BpfLabel());
        a.Jump(lost);
        Assert.Contains("stands nowhere", Assert.Throws<InvalidOperationException>(() => a.Build()).Message, StringComparison.Ordinal);
        a.Mark(lost);
        Assert.Throws<InvalidOperationException>(() => a.Mark(lost));
        Assert.Throws<OverflowException>(() => a.Load(BpfSize.Word, R1, R10, -40000));
    }

    private static IEnumerable<string> Bytes(BpfCode code) =>
        code.Words.Select(w => System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(w).ToString("x16", CultureInfo.InvariantCulture));
}
