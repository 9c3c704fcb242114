using System.Runtime.InteropServices;

namespace Skep.Kernel.Bpf;

/// <summary>
/// Waits until every program that was running when it was asked has ended: what such a program may still have read can be used anew then.
/// The kernel waits so after each change of a map of maps (maybe_wait_bpf_programs in kernel/bpf/syscall.c, since 4.20), so one is kept for it.
/// </summary>
public sealed class BpfGracePeriod : IDisposable
{
    private readonly BpfMap _inner;
    private readonly BpfMap _outer;

    public BpfGracePeriod()
    {
        _inner = BpfMap.Create(new BpfMapShape("skep_grace", BpfMapKind.Array, 4, 4, 1));
        try
        {
            _outer = BpfMap.Create(new BpfMapShape("skep_grace", BpfMapKind.ArrayOfMaps, 4, 4, 1), _inner);
        }
        catch
        {
            _inner.Dispose();
            throw;
        }
    }

    /// <summary>Some milliseconds on an idle machine, tens on a busy one.</summary>
    public void Wait()
    {
        Span<byte> value = stackalloc byte[4];
        MemoryMarshal.Write(value, _inner.Descriptor);
        _outer.Set(stackalloc byte[4], value);
    }

    public void Dispose()
    {
        _outer.Dispose();
        _inner.Dispose();
    }
}
