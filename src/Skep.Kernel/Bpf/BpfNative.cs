using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Skep.Kernel.Bpf;

/// <summary>bpf(2), which has no wrapper in the C library, and mmap(2) for maps in memory.</summary>
internal static partial class BpfNative
{
    public const int NameLength = 16;

    // linux/bpf.h, map_flags.
    public const uint BPF_F_NO_PREALLOC = 1;
    public const uint BPF_F_MMAPABLE = 1024;

    // linux/bpf.h, flags of BPF_PROG_ATTACH.
    public const uint BPF_F_ALLOW_MULTI = 2;
    public const uint BPF_F_REPLACE = 4;

    private static readonly long s_number = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 321,
        Architecture.Arm64 => 280,
        var other => throw new PlatformNotSupportedException($"the number of bpf(2) on {other} is not known here"),
    };

    /// <summary>Calls; an answer below nought is thrown as what <paramref name="attempt"/> met.</summary>
    public static unsafe int Call<T>(BpfCommand command, ref T attributes, string attempt)
        where T : unmanaged
    {
        var answer = TryCall(command, ref attributes);
        return answer >= 0 ? answer : throw Failure(attempt);
    }

    /// <summary>Calls; below nought the last P/Invoke error has the reason.</summary>
    public static unsafe int TryCall<T>(BpfCommand command, ref T attributes)
        where T : unmanaged
    {
        fixed (T* place = &attributes)
        {
            return (int)SystemCall(s_number, (nint)command, (nint)place, sizeof(T));
        }
    }

    /// <summary>A descriptor that the call answered with.</summary>
    public static SafeFileHandle Open<T>(BpfCommand command, ref T attributes, string attempt)
        where T : unmanaged => new(Call(command, ref attributes, attempt), ownsHandle: true);

    public static BpfException Failure(string attempt, string more = "")
    {
        var errno = Marshal.GetLastPInvokeError();
        return new BpfException($"{attempt}: {Marshal.GetPInvokeErrorMessage(errno)}{more}", errno);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial nint Map(nint address, nuint length, int protection, int flags, SafeFileHandle descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    public static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(long number, nint command, nint attributes, nint size);
}
