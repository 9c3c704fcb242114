namespace Skep.Kernel.Bpf;

/// <summary>The elements of an array as memory: words of eight bytes, each read and written whole, in the order in which they are written.</summary>
public sealed unsafe class BpfMapMemory : IDisposable
{
    private readonly nuint _bytes;
    private ulong* _words;

    public BpfMapMemory(BpfMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        const int PROT_READ_WRITE = 3;
        const int MAP_SHARED = 1;
        WordsPerElement = (map.Shape.ValueSize + 7) / 8;
        Length = map.Shape.Capacity * WordsPerElement;
        _bytes = (nuint)Length * 8;
        var place = BpfNative.Map(0, _bytes, PROT_READ_WRITE, MAP_SHARED, map.Handle, 0);
        _words = place != -1 ? (ulong*)place : throw BpfNative.Failure($"reach map {map.Shape.Name} as memory");
    }

    public int WordsPerElement { get; }

    /// <summary>In words.</summary>
    public int Length { get; }

    /// <summary>Who sees a written word sees all that was written before it.</summary>
    public ulong this[int word]
    {
        get => Volatile.Read(ref *At(word));
        set => Volatile.Write(ref *At(word), value);
    }

    public void Dispose()
    {
        if (_words is not null)
        {
            _ = BpfNative.Unmap((nint)_words, _bytes);
            _words = null;
        }
    }

    private ulong* At(int word)
    {
        ObjectDisposedException.ThrowIf(_words is null, this);
        return (uint)word < (uint)Length ? _words + word : throw new ArgumentOutOfRangeException(nameof(word), word, null);
    }
}
