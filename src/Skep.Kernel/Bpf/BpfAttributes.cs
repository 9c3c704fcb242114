using System.Runtime.InteropServices;

namespace Skep.Kernel.Bpf;

// The parts of union bpf_attr (linux/bpf.h), each as far as it is used: what the kernel does not get it takes as nought.

[StructLayout(LayoutKind.Explicit, Size = 48)]
internal unsafe struct MapCreateAttributes
{
    [FieldOffset(0)] public uint Type;
    [FieldOffset(4)] public uint KeySize;
    [FieldOffset(8)] public uint ValueSize;
    [FieldOffset(12)] public uint Capacity;
    [FieldOffset(16)] public uint Flags;
    [FieldOffset(20)] public int InnerMap;
    [FieldOffset(28)] public fixed byte Name[BpfNative.NameLength];
}

[StructLayout(LayoutKind.Explicit, Size = 32)]
internal unsafe struct ElementAttributes
{
    [FieldOffset(0)] public int Map;
    [FieldOffset(8)] public byte* Key;
    [FieldOffset(16)] public byte* Value;
    [FieldOffset(24)] public ulong Flags;
}

[StructLayout(LayoutKind.Explicit, Size = 56)]
internal unsafe struct BatchAttributes
{
    [FieldOffset(0)] public byte* From;
    [FieldOffset(8)] public byte* Next;
    [FieldOffset(16)] public byte* Keys;
    [FieldOffset(24)] public byte* Values;
    [FieldOffset(32)] public uint Count;
    [FieldOffset(36)] public int Map;
}

[StructLayout(LayoutKind.Explicit, Size = 72)]
internal unsafe struct ProgramLoadAttributes
{
    [FieldOffset(0)] public uint Type;
    [FieldOffset(4)] public uint Length;
    [FieldOffset(8)] public ulong* Words;
    [FieldOffset(16)] public byte* License;
    [FieldOffset(24)] public uint LogLevel;
    [FieldOffset(28)] public uint LogSize;
    [FieldOffset(32)] public byte* Log;
    [FieldOffset(48)] public fixed byte Name[BpfNative.NameLength];
    [FieldOffset(68)] public uint ExpectedAttachType;
}

[StructLayout(LayoutKind.Explicit, Size = 24)]
internal struct AttachAttributes
{
    [FieldOffset(0)] public int Target;
    [FieldOffset(4)] public int Program;
    [FieldOffset(8)] public uint Type;
    [FieldOffset(12)] public uint Flags;
    [FieldOffset(16)] public int Replaced;
}

// Larger than its fields: a kernel of 6.17 and later writes a revision at 56, whatever size it was told.
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct QueryAttributes
{
    [FieldOffset(0)] public int Target;
    [FieldOffset(4)] public uint Type;
    [FieldOffset(16)] public uint* Programs;
    [FieldOffset(24)] public uint Count;
}

[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct IdAttributes
{
    [FieldOffset(0)] public uint Id;
}

[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct InfoAttributes
{
    [FieldOffset(0)] public int Descriptor;
    [FieldOffset(4)] public uint Length;
    [FieldOffset(8)] public void* Info;
}

/// <summary>The beginning of struct bpf_map_info.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct MapInfo
{
    [FieldOffset(0)] public uint Type;
    [FieldOffset(4)] public uint Id;
    [FieldOffset(8)] public uint KeySize;
    [FieldOffset(12)] public uint ValueSize;
    [FieldOffset(16)] public uint Capacity;
    [FieldOffset(20)] public uint Flags;
    [FieldOffset(24)] public fixed byte Name[BpfNative.NameLength];
}

/// <summary>The beginning of struct bpf_prog_info.</summary>
[StructLayout(LayoutKind.Explicit, Size = 80)]
internal unsafe struct ProgramInfo
{
    [FieldOffset(4)] public uint Id;
    [FieldOffset(52)] public uint MapCount;
    [FieldOffset(56)] public uint* Maps;
    [FieldOffset(64)] public fixed byte Name[BpfNative.NameLength];
}
