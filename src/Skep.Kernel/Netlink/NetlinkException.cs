using System.Runtime.InteropServices;

namespace Skep.Kernel.Netlink;

/// <summary>The kernel refused a request. <see cref="Errno"/> is the positive error number; the message holds the kernel's own words.</summary>
public sealed class NetlinkException(int errno, string message) : Exception(message)
{
    public int Errno { get; } = errno;

    /// <summary><paramref name="attempt"/>, the error's text and, where the kernel gave one, its explanation.</summary>
    public static NetlinkException For(int errno, string attempt, string? explanation = null)
    {
        var text = $"{attempt}: {Marshal.GetPInvokeErrorMessage(errno)}";
        return new NetlinkException(errno, explanation is null ? text : $"{text} ({explanation})");
    }
}
