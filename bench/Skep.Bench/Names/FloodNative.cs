using System.Runtime.InteropServices;

namespace Skep.Bench.Names;

/// <summary>The system calls of a client that costs little; layouts are those of 64-bit Linux.</summary>
internal static unsafe partial class FloodNative
{
    public const int DontWait = 0x40;
    public const short PollIn = 1;
    public const int OfThread = 1;
    public const int OfChildren = -1;

    [LibraryImport("libc", EntryPoint = "recvmmsg")]
    public static partial int ReceiveMany(int descriptor, Message* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "sendmmsg")]
    public static partial int SendMany(int descriptor, Message* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "poll")]
    public static partial int Poll(Interest* interests, nuint count, int milliseconds);

    /// <summary>Seconds of processor time, the kernel's for it included (getrusage(2)).</summary>
    /// <param name="whose">The calling thread's, or that of all child processes that have ended.</param>
    public static double ProcessorSeconds(int whose)
    {
        var usage = stackalloc long[18];
        return Usage(whose, usage) == 0 ? usage[0] + usage[2] + ((usage[1] + usage[3]) / 1e6) : throw new BenchException("getrusage fails");
    }

    [LibraryImport("libc", EntryPoint = "getrusage")]
    private static partial int Usage(int whose, long* usage);

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Vector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary>struct mmsghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Message
    {
        public void* Name;
        public uint NameLength;
        public Vector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
        private readonly int _padding;
        public uint Transferred;
    }

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Interest
    {
        public int Descriptor;
        public short Events;
        public short Seen;
    }
}
