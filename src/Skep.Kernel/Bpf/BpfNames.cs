using System.Text;

namespace Skep.Kernel.Bpf;

/// <summary>Names of programs and maps in the kernel's fields of sixteen bytes.</summary>
internal static class BpfNames
{
    public static unsafe void Write(string name, byte* field)
    {
        if (name.Length >= BpfNative.NameLength)
        {
            throw new ArgumentException($"'{name}' is longer than {BpfNative.NameLength - 1} letters.", nameof(name));
        }

        Encoding.ASCII.GetBytes(name, new Span<byte>(field, BpfNative.NameLength));
    }

    public static unsafe string Read(byte* field) =>
        Encoding.ASCII.GetString(new ReadOnlySpan<byte>(field, BpfNative.NameLength)).TrimEnd('\0');
}
