using System.Net.Sockets;
using Skep.Kernel.Native;

namespace Skep.Kernel.Sockets;

/// <summary>
/// Gives sockets that are kept for long, and in any number, descriptors from 1024 up. The smaller ones are for libraries that wait by select(2),
/// whose sets end there (FD_SETSIZE).
/// </summary>
public static class HighDescriptors
{
    private const int First = 1024;

    /// <summary>The same socket by another descriptor; the one given is closed.</summary>
    /// <returns>The one given, when the process may not have so many descriptors (RLIMIT_NOFILE).</returns>
    public static Socket Raise(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        var raised = Libc.Control(socket.SafeHandle, Libc.F_DUPFD_CLOEXEC, First);
        if (raised < 0)
        {
            return socket;
        }

        socket.Dispose();
        return new Socket(new SafeSocketHandle(raised, ownsHandle: true));
    }
}
