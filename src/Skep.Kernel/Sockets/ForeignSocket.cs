using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Skep.Kernel.Native;

namespace Skep.Kernel.Sockets;

/// <summary>A socket that a program has open, in our hands as well (pidfd_getfd(2), Linux 5.6): what is done to it here is done to the program's.</summary>
public sealed partial class ForeignSocket : IDisposable
{
    private const int SOL_SOCKET = 1;
    private const int SO_DOMAIN = 39;
    private const int SO_COOKIE = 57;
    private const int AF_INET6 = 10;
    private const long SYS_pidfd_open = 434;
    private const long SYS_pidfd_getfd = 438;

    private readonly SafeFileHandle _descriptor;

    private ForeignSocket(SafeFileHandle descriptor) => _descriptor = descriptor;

    /// <summary>The sockets of these inodes that these processes have open, each once. A process that ends meanwhile has none.</summary>
    public static IReadOnlyList<ForeignSocket> Find(IEnumerable<int> processes, IReadOnlySet<uint> inodes)
    {
        ArgumentNullException.ThrowIfNull(processes);
        ArgumentNullException.ThrowIfNull(inodes);
        var (left, found) = (inodes.ToHashSet(), new List<ForeignSocket>());
        foreach (var process in processes)
        {
            foreach (var (number, inode) in Descriptors(process))
            {
                if (left.Contains(inode) && Open(process, number) is { } socket)
                {
                    left.Remove(inode);
                    found.Add(socket);
                }
            }
        }

        return found;
    }

    /// <summary>The number by which eBPF programs know it.</summary>
    public ulong Cookie()
    {
        Span<byte> cookie = stackalloc byte[sizeof(ulong)];
        Get(SO_COOKIE, cookie);
        return MemoryMarshal.Read<ulong>(cookie);
    }

    /// <summary>Whom the program has connected it to, as the program is told; null when to nobody.</summary>
    public IPEndPoint? Peer()
    {
        Span<byte> address = stackalloc byte[28];
        var length = (uint)address.Length;
        if (GetPeer(_descriptor, address, ref length) != 0)
        {
            return Marshal.GetLastPInvokeError() == Errno.ENOTCONN ? null : throw Failure("ask a socket for its peer");
        }

        // struct sockaddr_in and sockaddr_in6: family, port, then the address, after the flow's label in the second.
        var port = BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
        return new IPEndPoint(new IPAddress(MemoryMarshal.Read<ushort>(address) == AF_INET6 ? address.Slice(8, 16) : address.Slice(4, 4)), port);
    }

    /// <summary>Gives a datagram socket another peer. IPv4 addresses are written as an IPv6 socket takes them.</summary>
    /// <exception cref="IOException">There is no way there.</exception>
    public void Connect(IPEndPoint peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        Span<byte> domain = stackalloc byte[sizeof(int)];
        Get(SO_DOMAIN, domain);
        var six = MemoryMarshal.Read<int>(domain) == AF_INET6;
        var end = six && peer.AddressFamily == AddressFamily.InterNetwork ? new IPEndPoint(peer.Address.MapToIPv6(), peer.Port) : peer;
        var address = end.Serialize();
        if (ConnectSocket(_descriptor, address.Buffer.Span, (uint)address.Size) != 0)
        {
            throw Failure($"connect a socket to {peer}");
        }
    }

    public void Dispose() => _descriptor.Dispose();

    private static ForeignSocket? Open(int process, int number)
    {
        using var handle = new SafeFileHandle((nint)SystemCall(SYS_pidfd_open, process, 0, 0), ownsHandle: true);
        if (handle.IsInvalid)
        {
            return null;
        }

        var descriptor = new SafeFileHandle((nint)SystemCall(SYS_pidfd_getfd, (long)handle.DangerousGetHandle(), number, 0), ownsHandle: true);
        return descriptor.IsInvalid ? null : new ForeignSocket(descriptor);
    }

    private static IEnumerable<(int Number, uint Inode)> Descriptors(int process)
    {
        FileInfo[] files;
        try
        {
            files = new DirectoryInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/fd")).GetFiles();
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            yield break;
        }

        foreach (var file in files)
        {
            string? target;
            try
            {
                target = file.LinkTarget;
            }
            catch (IOException)
            {
                continue;
            }

            if (target is not null && target.StartsWith("socket:[", StringComparison.Ordinal)
                && uint.TryParse(target.AsSpan(8, target.Length - 9), CultureInfo.InvariantCulture, out var inode)
                && int.TryParse(file.Name, CultureInfo.InvariantCulture, out var number))
            {
                yield return (number, inode);
            }
        }
    }

    private void Get(int option, Span<byte> value)
    {
        var length = (uint)value.Length;
        if (GetOption(_descriptor, SOL_SOCKET, option, value, ref length) != 0)
        {
            throw Failure("ask about a socket");
        }
    }

    private static IOException Failure(string attempt) =>
        new($"{attempt}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}", Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long SystemCall(long number, long first, long second, long third);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int ConnectSocket(SafeFileHandle socket, ReadOnlySpan<byte> address, uint length);

    [LibraryImport("libc", EntryPoint = "getpeername", SetLastError = true)]
    private static partial int GetPeer(SafeFileHandle socket, Span<byte> address, ref uint length);

    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    private static partial int GetOption(SafeFileHandle socket, int level, int name, Span<byte> value, ref uint length);
}
