using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Skep.Kernel.Native;

namespace Skep.Kernel.Bpf;

/// <summary>
/// The programs attached to a control group of version 2. They run for every socket that was made by a process in the group or below it,
/// beside those of other owners, and stay until they are detached or the group is removed: no process needs to live for it.
/// </summary>
public sealed class CgroupPrograms : IDisposable
{
    private readonly SafeFileHandle _folder;

    /// <exception cref="IOException">There is no such folder.</exception>
    public CgroupPrograms(string folder)
    {
        Folder = folder;
        _folder = Libc.Open(folder);
        if (_folder.IsInvalid)
        {
            throw Libc.LastError($"open control group {folder}");
        }
    }

    public string Folder { get; }

    private int Descriptor => (int)_folder.DangerousGetHandle();

    /// <summary>The numbers of the programs that are attached here, not of those of groups above.</summary>
    public unsafe IReadOnlyList<uint> Query(SocketHook hook)
    {
        const int Most = 64; // BPF_CGROUP_MAX_PROGS
        var ids = stackalloc uint[Most];
        var attributes = new QueryAttributes { Target = Descriptor, Type = (uint)hook, Programs = ids, Count = Most };
        BpfNative.Call(BpfCommand.ProgramQuery, ref attributes, $"list {hook} programs of {Folder}");
        return new ReadOnlySpan<uint>(ids, (int)attributes.Count).ToArray();
    }

    /// <summary>Attaches beside what is there, or in the place of <paramref name="replaced"/>: a socket meets the one or the other.</summary>
    public void Attach(SocketHook hook, BpfProgram program, BpfProgram? replaced = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        var attributes = new AttachAttributes
        {
            Target = Descriptor,
            Program = program.Descriptor,
            Type = (uint)hook,
            Flags = BpfNative.BPF_F_ALLOW_MULTI | (replaced is null ? 0 : BpfNative.BPF_F_REPLACE),
            Replaced = replaced?.Descriptor ?? 0,
        };
        BpfNative.Call(BpfCommand.ProgramAttach, ref attributes, $"attach {program.Name} to {Folder}");
    }

    /// <summary>False when it was not attached.</summary>
    public bool Detach(SocketHook hook, BpfProgram program)
    {
        ArgumentNullException.ThrowIfNull(program);
        var attributes = new AttachAttributes { Target = Descriptor, Program = program.Descriptor, Type = (uint)hook };
        return BpfNative.TryCall(BpfCommand.ProgramDetach, ref attributes) >= 0
            || (Marshal.GetLastPInvokeError() == Errno.ENOENT ? false : throw BpfNative.Failure($"detach {program.Name} from {Folder}"));
    }

    public void Dispose() => _folder.Dispose();
}
