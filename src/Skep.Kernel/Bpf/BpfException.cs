namespace Skep.Kernel.Bpf;

/// <summary>The kernel refused a call of bpf(2). The message has the attempt, the system's words and, for a program, the verifier's.</summary>
public sealed class BpfException(string message, int errno) : IOException(message, errno)
{
    /// <summary>The error number, as in errno(3).</summary>
    public int Errno { get; } = errno;
}
