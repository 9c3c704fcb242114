using Skep.Daemon.Memory;

namespace Skep.UnitTests.Daemon.Memory;

public sealed class IdleMemoryTests
{
    private long _allocated;
    private long _heap;
    private int _releases;

    [Fact]
    public void MemoryIsGivenBackOnceAfterTheStartAndOnceAfterWork()
    {
        var memory = new IdleMemory(TimeProvider.System, () => _allocated, () => _heap, () => _releases++);

        Assert.Equal(0, After(40 << 20));
        Assert.Equal(1, After(1000));
        Assert.Equal(1, After(1000));
        Assert.Equal(1, After(IdleMemory.Work));
        Assert.Equal(2, After(1000));

        // What rest itself takes does not add up to work, until it is seen in the heap.
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(2, After(IdleMemory.Rest - 1)));
        _heap = IdleMemory.Growth - 1;
        Assert.Equal(2, After(1000));
        _heap++;
        Assert.Equal(3, After(1000));
        Assert.Equal(3, After(1000));
        _heap += IdleMemory.Growth;
        Assert.Equal(4, After(1000));

        int After(long allocated)
        {
            _allocated += allocated;
            memory.Look();
            return _releases;
        }
    }

    [Fact]
    public void OnlyUntouchedFilePagesMayBeDropped()
    {
        string[] smaps =
        [
            "1000-3000 r-xp 00000000 fe:00 77                         /usr/lib/code.so", "Rss: 8 kB", "Anonymous:             0 kB", "VmFlags: rd ex",
            "3000-4000 r-xp 00000000 fe:00 77                         /usr/lib/patched.so", "Anonymous:             4 kB",
            "4000-5000 r--p 00000000 fe:00 77                         /usr/lib/relocated.so", "Anonymous:             0 kB",
            "5000-6000 rw-p 00000000 00:00 0 ", "Anonymous:             0 kB",
            "6000-7000 r-xp 00000000 00:01 9                          /memfd:doublemapper (deleted)", "Anonymous:             0 kB",
            "a000-b000 r--s 00000000 fe:00 78                         /usr/share/dotnet/a b.dll", "Anonymous:             0 kB",
            "c000-d000 r-xp 00000000 00:00 0                          [vdso]", "Anonymous:             0 kB",
        ];

        Assert.Equal([(0x1000, 0x2000), (0xa000, 0x1000)], ResidentMemory.Droppable(smaps).Select(part => ((int)part.Start, (int)part.Length)));
    }
}
