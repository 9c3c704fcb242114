namespace Skep.Kernel.Bpf;

/// <summary>enum bpf_cmd of linux/bpf.h.</summary>
internal enum BpfCommand
{
    MapCreate = 0,
    MapLookup = 1,
    MapUpdate = 2,
    MapDelete = 3,
    ProgramLoad = 5,
    ProgramAttach = 8,
    ProgramDetach = 9,
    ProgramOpenById = 13,
    MapOpenById = 14,
    Info = 15,
    ProgramQuery = 16,
    MapLookupBatch = 24,
}
