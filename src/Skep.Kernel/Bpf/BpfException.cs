namespace Skep.Kernel.Bpf;

/// <summary>The kernel refused a call of bpf(2). The message has the attempt, the system's words and, for a program, the verifier's.</summary>
public sealed class BpfException(string message, int errno) : IOException(message, errno)
{
    /// <summary>The error number, as in errno(3).</summary>
    public int Errno { get; } = errno;

    /// <summary>
    /// This kernel will not do it however often it is asked: it does not know the call or a part of it, or does not let us. The verifier refuses
    /// with EACCES and EINVAL.
    /// </summary>
    public bool IsFinal => Errno is Native.Errno.EPERM or Native.Errno.E2BIG or Native.Errno.EACCES or Native.Errno.EINVAL or Native.Errno.ENOSYS or Native.Errno.EOPNOTSUPP;
}
