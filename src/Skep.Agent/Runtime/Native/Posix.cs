using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Skep.Agent.Runtime.Native;

/// <summary>The system calls that .NET has no name for. Numbers and structures are those of Linux on x86-64 and arm64.</summary>
internal static unsafe partial class Posix
{
    public const int ReadOnly = 0;
    public const int ReadWrite = 2;
    public const int NonBlock = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;
    public static readonly int Directory = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    public const int Interrupted = 4;
    public const int NoEntry = 2;
    public const int TryAgain = 11;
    public const int Exists = 17;
    public const int BrokenPipe = 32;

    public const ulong MountReadOnly = 1;
    private const int Detach = 2;
    private const int SetPipeSize = 1031;
    private const long OpenAt2Number = 437;
    private const ulong ResolveInRoot = 0x10;

    public static void MakeFifo(string path, uint mode)
    {
        if (mkfifo(path, mode) != 0 && Marshal.GetLastPInvokeError() != Exists)
        {
            throw Failure($"mkfifo {path}");
        }
    }

    public static SafeFileHandle Open(string path, int flags)
    {
        int descriptor;
        do
        {
            descriptor = open(path, flags | CloseOnExec, 0);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure($"open {path}");
    }

    /// <summary>Opens a path as a process with that root directory would; null when it is not there. openat2(2), RESOLVE_IN_ROOT.</summary>
    public static SafeFileHandle? OpenInRoot(SafeFileHandle root, string path, int flags)
    {
        var how = new OpenHow { Flags = (ulong)(flags | CloseOnExec), Resolve = ResolveInRoot };
        var name = Marshal.StringToCoTaskMemUTF8(path.TrimStart('/') is { Length: > 0 } relative ? relative : ".");
        try
        {
            var descriptor = syscall(OpenAt2Number, (long)root.DangerousGetHandle(), name, (nint)(&how), sizeof(OpenHow));
            return descriptor >= 0 ? new SafeFileHandle((nint)descriptor, ownsHandle: true) : null;
        }
        finally
        {
            Marshal.FreeCoTaskMem(name);
        }
    }

    /// <summary>Bytes read, 0 at the end, or minus the error's number.</summary>
    public static int Read(SafeFileHandle file, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            var count = read((int)file.DangerousGetHandle(), start, (nuint)buffer.Length);
            return count >= 0 ? (int)count : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Bytes written, or minus the error's number.</summary>
    public static int Write(SafeFileHandle file, ReadOnlySpan<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            var count = write((int)file.DangerousGetHandle(), start, (nuint)buffer.Length);
            return count >= 0 ? (int)count : -Marshal.GetLastPInvokeError();
        }
    }

    public static void EnlargePipe(SafeFileHandle pipe, int bytes) => _ = fcntl((int)pipe.DangerousGetHandle(), SetPipeSize, bytes);

    public static void Mount(string source, string target, string type, ulong flags, string? data)
    {
        if (mount(source, target, type, flags, data) != 0)
        {
            throw Failure($"mount {type} at {target}");
        }
    }

    public static void UnmountLazily(string target) => _ = umount2(target, Detach);

    public static void ChangeOwner(string path, uint user, uint group)
    {
        if (lchown(path, user, group) != 0)
        {
            throw Failure($"lchown {path}");
        }
    }

    public static (uint User, uint Group, uint Mode) Status(string path)
    {
        // struct statx: stx_mode at 28, stx_uid at 20, stx_gid at 24; 256 bytes in all (linux/stat.h).
        var result = stackalloc byte[256];
        if (statx(-100, path, 0x100, 0x1B, result) != 0)
        {
            throw Failure($"statx {path}");
        }

        return (*(uint*)(result + 20), *(uint*)(result + 24), *(ushort*)(result + 28));
    }

    public static int EpollCreate()
    {
        var descriptor = epoll_create1(CloseOnExec);
        return descriptor >= 0 ? descriptor : throw Failure("epoll_create1");
    }

    public static int EventDescriptor()
    {
        var descriptor = eventfd(0, CloseOnExec | NonBlock);
        return descriptor >= 0 ? descriptor : throw Failure("eventfd");
    }

    public static int EpollControl(int epoll, int operation, int descriptor, uint events, long data)
    {
        Span<byte> record = stackalloc byte[16];
        MemoryMarshal.Write(record, events);
        MemoryMarshal.Write(record[EpollDataOffset..], data);
        fixed (byte* start = record)
        {
            return epoll_ctl(epoll, operation, descriptor, start) == 0 ? 0 : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Waits without limit; fills <paramref name="records"/>, each <see cref="EpollRecordSize"/> bytes.</summary>
    public static int EpollWait(int epoll, Span<byte> records)
    {
        fixed (byte* start = records)
        {
            var count = epoll_wait(epoll, start, records.Length / EpollRecordSize, -1);
            return count >= 0 ? count : -Marshal.GetLastPInvokeError();
        }
    }

    // struct epoll_event is packed on x86-64 only.
    public static readonly int EpollDataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    public static readonly int EpollRecordSize = EpollDataOffset + 8;

    public static Win32Exception Failure(string what)
    {
        var number = Marshal.GetLastPInvokeError();
        return new Win32Exception(number, $"{what}: {Marshal.GetPInvokeErrorMessage(number)}");
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial long syscall(long number, long first, nint second, nint third, long fourth);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mount(string source, string target, string type, ulong flags, string? data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int umount2(string target, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int lchown(string path, uint user, uint group);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int folder, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int descriptor, byte* record);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epoll, byte* records, int capacity, int timeout);
}
