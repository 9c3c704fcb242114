namespace Skep.Kernel.Bpf;

/// <summary>
/// Writes eBPF programs: one method per kind of instruction, labels for jumps, maps by name. What the program does wrong is found by
/// the kernel's verifier when it is loaded; what cannot be written down at all (a jump to nowhere, an offset too far) is refused here.
/// <para>Encoding: Documentation/bpf/standardization/instruction-set.rst of the kernel's sources.</para>
/// </summary>
public sealed class BpfAssembler
{
    private const byte Load64Immediate = 0x18;
    private const byte ClassLoad = 0x61;
    private const byte ClassStoreImmediate = 0x62;
    private const byte ClassStore = 0x63;
    private const byte ClassJump = 0x05;
    private const byte ClassAlu32 = 0x04;
    private const byte ClassAlu64 = 0x07;
    private const byte FromRegister = 0x08;
    private const byte ModeAtomic = 0xc3;
    private const byte OpCall = 0x80;
    private const byte OpExit = 0x90;
    private const int AtomicAddAndFetch = 0x01;
    private const BpfRegister PseudoMapDescriptor = BpfRegister.R1;

    private readonly List<ulong> _words = [];
    private readonly List<(int From, BpfLabel To)> _jumps = [];
    private readonly List<BpfMapReference> _maps = [];

    public void Move(BpfRegister to, BpfRegister from) => Compute(BpfOperation.Move, to, from);

    public void Move(BpfRegister to, int value) => Compute(BpfOperation.Move, to, value);

    /// <summary>The lower half; the upper one becomes nought.</summary>
    public void MoveLowerHalf(BpfRegister to, BpfRegister from) => Emit(ClassAlu32 | FromRegister | (int)BpfOperation.Move, to, from);

    public void Compute(BpfOperation operation, BpfRegister to, BpfRegister from) => Emit(ClassAlu64 | FromRegister | (int)operation, to, from);

    public void Compute(BpfOperation operation, BpfRegister to, int value) => Emit(ClassAlu64 | (int)operation, to, immediate: value);

    /// <summary>to = what stands <paramref name="offset"/> bytes behind <paramref name="from"/>; upper bits become nought.</summary>
    public void Load(BpfSize size, BpfRegister to, BpfRegister from, int offset) => Emit(ClassLoad | (int)size, to, from, offset);

    public void Store(BpfSize size, BpfRegister to, int offset, BpfRegister value) => Emit(ClassStore | (int)size, to, value, offset);

    public void Store(BpfSize size, BpfRegister to, int offset, int value) => Emit(ClassStoreImmediate | (int)size, to, offset: offset, immediate: value);

    /// <summary>Adds to the eight bytes there, in one step that nobody comes between; <paramref name="value"/> becomes what stood there before.</summary>
    public void FetchAndAdd(BpfRegister to, int offset, BpfRegister value) =>
        Emit(ModeAtomic | (int)BpfSize.Double, to, value, offset, AtomicAddAndFetch);

    /// <summary>The map that the loader knows by this name.</summary>
    public void LoadMap(BpfRegister to, string map)
    {
        _maps.Add(new BpfMapReference(_words.Count, map));
        Emit(Load64Immediate, to, PseudoMapDescriptor);
        Emit(0);
    }

    /// <summary>Calls; R1 to R5 are forgotten, R0 is the answer.</summary>
    public void Call(BpfHelper helper) => Emit(ClassJump | OpCall, immediate: (int)helper);

    public void Jump(BpfLabel to)
    {
        _jumps.Add((_words.Count, to));
        Emit(ClassJump);
    }

    public void JumpIf(BpfRegister left, BpfCondition condition, int right, BpfLabel to)
    {
        _jumps.Add((_words.Count, to));
        Emit(ClassJump | (int)condition, left, immediate: right);
    }

    public void JumpIf(BpfRegister left, BpfCondition condition, BpfRegister right, BpfLabel to)
    {
        _jumps.Add((_words.Count, to));
        Emit(ClassJump | FromRegister | (int)condition, left, right);
    }

    /// <summary>Ends the program with R0 as its answer.</summary>
    public void Exit() => Emit(ClassJump | OpExit);

    /// <summary>The label stands for the next instruction.</summary>
    public void Mark(BpfLabel label)
    {
        ArgumentNullException.ThrowIfNull(label);
        label.Place = label.Place is null ? _words.Count : throw new InvalidOperationException("The label stands somewhere already.");
    }

    public BpfCode Build()
    {
        var words = _words.ToArray();
        foreach (var (from, to) in _jumps)
        {
            var place = to.Place ?? throw new InvalidOperationException($"The jump at {from} leads to a label that stands nowhere.");
            words[from] |= Offset(place - from - 1);
        }

        return new BpfCode([.. words], [.. _maps]);
    }

    // struct bpf_insn: code, two registers of four bits, a signed offset, a signed number.
    private void Emit(int code, BpfRegister to = 0, BpfRegister from = 0, int offset = 0, int immediate = 0) =>
        _words.Add((byte)code | ((ulong)to << 8) | ((ulong)from << 12) | Offset(offset) | ((ulong)(uint)immediate << 32));

    private static ulong Offset(int offset) => (ulong)(ushort)checked((short)offset) << 16;
}
