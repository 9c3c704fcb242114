using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Skep.Kernel.Native;

namespace Skep.Kernel.Namespaces;

/// <summary>
/// A Linux network namespace, held open by a descriptor (network_namespaces(7)). It lives as long as a descriptor, a mount or a
/// thread holds it: disposing this object lets go of the descriptor only.
/// </summary>
public sealed class NetworkNamespace : IDisposable
{
    private readonly SafeFileHandle _descriptor;

    private NetworkNamespace(SafeFileHandle descriptor, string origin)
    {
        if (descriptor.IsInvalid)
        {
            throw Libc.LastError($"open network namespace {origin}");
        }

        if (!Libc.IsNamespace(descriptor))
        {
            descriptor.Dispose();
            throw new IOException($"{origin} is not a namespace");
        }

        (_descriptor, Origin) = (descriptor, origin);
        Inode = Libc.Inode(descriptor);
    }

    /// <summary>The path that this namespace was opened from.</summary>
    public string Origin { get; }

    /// <summary>The open file descriptor; valid until this object is disposed.</summary>
    public int Descriptor => (int)_descriptor.DangerousGetHandle();

    /// <summary>What tells namespaces apart: the number in <c>net:[4026531840]</c>.</summary>
    public ulong Inode { get; }

    /// <summary>
    /// The number by which eBPF programs know this namespace (SO_NETNS_COOKIE of socket(7), Linux 5.14); no other has it as long as the
    /// kernel runs.
    /// </summary>
    public ulong Cookie() => Run(() =>
    {
        const int SOL_SOCKET = 1;
        const int SO_NETNS_COOKIE = 71;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Span<byte> cookie = stackalloc byte[sizeof(ulong)];
        return socket.GetRawSocketOption(SOL_SOCKET, SO_NETNS_COOKIE, cookie) == cookie.Length
            ? MemoryMarshal.Read<ulong>(cookie)
            : throw new IOException("the kernel has no cookies for network namespaces");
    });

    /// <summary>
    /// The namespace that is mounted at <paramref name="path"/>; made and mounted there (parents too, file mode 0600) if there is none.
    /// A plain file left at the path, as after a reboot, is used as the mount point.
    /// </summary>
    public static NetworkNamespace Create(string path)
    {
        if (TryOpenMounted(path) is { } existing)
        {
            return existing;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using (var mountPoint = Libc.OpenOrCreate(path))
        {
            if (mountPoint.IsInvalid)
            {
                throw Libc.LastError($"make {path}");
            }
        }

        NamespaceThread.Run<object?>(target: null, () =>
        {
            if (Libc.Unshare(Libc.CLONE_NEWNET) != 0)
            {
                throw Libc.LastError("make a network namespace");
            }

            return Libc.Mount("/proc/thread-self/ns/net", path, null, Libc.MS_BIND, 0) == 0
                ? null
                : throw Libc.LastError($"mount a network namespace at {path}");
        });
        return Open(path);
    }

    /// <summary>The namespace mounted at <paramref name="path"/>; <see cref="IOException"/> if there is none.</summary>
    public static NetworkNamespace Open(string path) => new(Libc.Open(path), path);

    /// <summary>The namespace of a process; <see cref="IOException"/> if the process is gone.</summary>
    public static NetworkNamespace OfProcess(int pid) => Open($"/proc/{pid}/ns/net");

    /// <summary>The namespace of the calling thread.</summary>
    public static NetworkNamespace Current() => Open("/proc/thread-self/ns/net");

    /// <summary>Unmounts and unlinks <paramref name="path"/>; false if nothing is there. The namespace itself ends with its last user.</summary>
    public static bool Delete(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        // A lazy unmount succeeds while a descriptor is open; "not a mount point" (EINVAL) is a plain file, which only needs the unlink.
        while (Libc.Unmount(path, Libc.MNT_DETACH) == 0)
        {
        }

        File.Delete(path);
        return true;
    }

    /// <summary>
    /// Runs <paramref name="body"/> on a thread that stands in this namespace, and returns its result. A socket made inside stays inside
    /// for good, wherever it is used later.
    /// <para>
    /// Keep the body short and synchronous. A thread that is born inside inherits the namespace and never leaves it; starting timers,
    /// tasks or asynchronous socket calls there can make the runtime start such a thread. Make the socket inside, use it outside.
    /// </para>
    /// </summary>
    public T Run<T>(Func<T> body)
    {
        if (typeof(Task).IsAssignableFrom(typeof(T)))
        {
            throw new ArgumentException("An asynchronous body would leave the namespace at its first await.", nameof(body));
        }

        return NamespaceThread.Run(_descriptor, body);
    }

    /// <inheritdoc cref="Run{T}(Func{T})"/>
    public void Run(Action body) => Run<object?>(() =>
    {
        body();
        return null;
    });

    public void Dispose() => _descriptor.Dispose();

    private static NetworkNamespace? TryOpenMounted(string path)
    {
        var descriptor = Libc.Open(path);
        if (!descriptor.IsInvalid && Libc.IsNamespace(descriptor))
        {
            return new NetworkNamespace(descriptor, path);
        }

        descriptor.Dispose();
        return null;
    }
}
