using System.Runtime.InteropServices;

namespace Skep.Lab;

/// <summary>The few system calls of the lab that .NET has no words for.</summary>
internal static partial class LibC
{
    // Numbers of the generic system call table; x86-64 and arm64 share those above 423.
    private const int PidFdSendSignal = 424;
    private const int PidFdOpen = 434;
    private const int SigKill = 9;
    private const int SigPipe = 13;
    private const short PollIn = 1;
    private const int LockExclusive = 2;
    private const int CreateReadWriteCloseOnExec = 0x80042;
    private const int OwnerOnly = 0x180;

    /// <summary>A descriptor of the process (pidfd_open(2)); negative when there is none.</summary>
    public static int OpenProcess(int id) => (int)SystemCall(PidFdOpen, id, 0, 0, 0);

    public static void Kill(int descriptor) => SystemCall(PidFdSendSignal, descriptor, SigKill, 0, 0);

    public static bool WaitReadable(int descriptor, int milliseconds)
    {
        var watched = new PollDescriptor { Descriptor = descriptor, Events = PollIn };
        return Poll(ref watched, 1, milliseconds) > 0;
    }

    public static void Close(int descriptor) => _ = CloseDescriptor(descriptor);

    /// <summary>Opens a file, made where it is missing; negative when that fails.</summary>
    public static int Open(string path) => OpenFile(path, CreateReadWriteCloseOnExec, OwnerOnly);

    /// <summary>Waits for the lock of flock(2), which its holder's end releases in any case.</summary>
    public static bool Lock(int descriptor) => Flock(descriptor, LockExclusive) == 0;

    public static bool RemoveFolder(string path) => Rmdir(path) == 0;

    /// <summary>Becomes another program; returns only when that fails.</summary>
    public static void Execute(string program, IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        // .NET ignores SIGPIPE, and what is ignored stays so across execve(2): `yes | head` would never end.
        Signal(SigPipe, 0);
        Execve(program, [program, .. arguments, null], [.. environment, null]);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, nint second, nint third, nint fourth);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeout);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rmdir(string path);

    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    private static partial nint Signal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execve(string program, string?[] arguments, string?[] environment);
}
