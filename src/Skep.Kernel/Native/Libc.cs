using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Skep.Kernel.Native;

/// <summary>The few calls of the C library that .NET has no door to. Each sets the last P/Invoke error; see the section 2 manual pages.</summary>
internal static partial class Libc
{
    // linux/sched.h
    public const int CLONE_NEWNET = 0x40000000;

    // linux/mount.h, sys/mount.h
    public const ulong MS_BIND = 4096;
    public const int MNT_DETACH = 2;

    // fcntl.h (the same on x86-64 and arm64)
    public const int O_RDONLY = 0;
    public const int O_CREAT = 0x40;
    public const int O_CLOEXEC = 0x80000;
    public const int AT_EMPTY_PATH = 0x1000;
    public const int F_DUPFD_CLOEXEC = 1030;

    // asm-generic/socket.h
    private const int SOL_SOCKET = 1;
    private const int SO_PROTOCOL = 38;

    // linux/magic.h
    public const long NSFS_MAGIC = 0x6e736673;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenDescriptor(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    public static partial int SetNamespace(SafeFileHandle descriptor, int kind);

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    public static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(SafeHandle descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetSocketOption(int descriptor, int level, int option, out int value, ref uint length);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(string source, string target, string? type, ulong flags, nint data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(SafeFileHandle directory, string path, int flags, uint mask, Span<byte> result);

    [LibraryImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
    private static partial int FStatFs(SafeFileHandle descriptor, Span<byte> result);

    /// <summary>The protocol of a socket (SO_PROTOCOL); -1 for what is none.</summary>
    public static int ProtocolOf(int descriptor)
    {
        var length = (uint)sizeof(int);
        return GetSocketOption(descriptor, SOL_SOCKET, SO_PROTOCOL, out var protocol, ref length) == 0 ? protocol : -1;
    }

    /// <summary>Opens <paramref name="path"/> for reading; an invalid handle tells a failure.</summary>
    public static SafeFileHandle Open(string path) => new(OpenDescriptor(path, O_RDONLY | O_CLOEXEC, 0), ownsHandle: true);

    /// <summary>As <see cref="Open"/>; a missing file is made, for its owner alone (0600).</summary>
    public static SafeFileHandle OpenOrCreate(string path) =>
        new(OpenDescriptor(path, O_RDONLY | O_CLOEXEC | O_CREAT, 0x180), ownsHandle: true);

    /// <summary>The inode of an open file.</summary>
    public static ulong Inode(SafeFileHandle descriptor)
    {
        // struct statx (linux/stat.h) is the same on every architecture: 256 bytes, stx_ino at offset 32.
        Span<byte> result = stackalloc byte[256];
        const uint STATX_INO = 0x100;
        return StatX(descriptor, "", AT_EMPTY_PATH, STATX_INO, result) == 0
            ? MemoryMarshal.Read<ulong>(result[32..])
            : throw LastError("statx of a namespace");
    }

    /// <summary>Whether an open file is a namespace (a file of nsfs).</summary>
    public static bool IsNamespace(SafeFileHandle descriptor)
    {
        // struct statfs begins with the long f_type; 120 bytes on 64-bit systems.
        Span<byte> result = stackalloc byte[256];
        return FStatFs(descriptor, result) == 0 && MemoryMarshal.Read<long>(result) == NSFS_MAGIC;
    }

    /// <summary>The last call's failure as an exception: <paramref name="attempt"/>, then the system's words.</summary>
    public static IOException LastError(string attempt)
    {
        var errno = Marshal.GetLastPInvokeError();
        return new IOException($"{attempt}: {Marshal.GetPInvokeErrorMessage(errno)}", errno);
    }
}
