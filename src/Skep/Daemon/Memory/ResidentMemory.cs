using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;

namespace Skep.Daemon.Memory;

/// <summary>What a process can do about its own resident set.</summary>
internal static partial class ResidentMemory
{
    private const int DontNeed = 4;
    private const int ArenaCount = -8;

    /// <summary>
    /// Keeps malloc at two arenas. It makes up to eight per processor, and each keeps what its threads once needed (mallopt(3)).
    /// </summary>
    public static void LimitArenas() => _ = SetMallocOption(ArenaCount, 2);

    public static void Release()
    {
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _ = TrimMalloc(0);
        foreach (var (start, length) in Droppable(File.ReadLines("/proc/self/smaps")))
        {
            _ = Advise(start, length, DontNeed);
        }
    }

    /// <summary>
    /// Mappings of files whose pages may leave the resident set and come back from the page cache unchanged: code, which nothing writes
    /// to, and shared read-only data. A private mapping with a page of its own (<c>Anonymous</c>) is never among them, since such a page
    /// has no file to come back from.
    /// </summary>
    /// <param name="smaps">Lines of proc_pid_smaps(5).</param>
    internal static IEnumerable<(nint Start, nuint Length)> Droppable(IEnumerable<string> smaps)
    {
        (nint Start, nuint Length)? candidate = null;
        foreach (var line in smaps)
        {
            if (!char.IsUpper(line[0]))
            {
                candidate = Mapping(line);
            }
            else if (candidate is { } mapping && line.StartsWith("Anonymous:", StringComparison.Ordinal))
            {
                if (line.AsSpan("Anonymous:".Length).Trim().SequenceEqual("0 kB"))
                {
                    yield return mapping;
                }

                candidate = null;
            }
        }
    }

    // 7f00-7f40 r-xp 00000000 fe:00 1234   /usr/lib/x.so
    private static (nint Start, nuint Length)? Mapping(string line)
    {
        var fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 6 || fields[1] is not ("r-xp" or "r--s") || !fields[5].StartsWith('/') || fields[5].StartsWith("/memfd:", StringComparison.Ordinal))
        {
            return null;
        }

        var dash = fields[0].IndexOf('-', StringComparison.Ordinal);
        var start = nint.Parse(fields[0].AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var end = nint.Parse(fields[0].AsSpan(dash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (start, (nuint)(end - start));
    }

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimMalloc(nuint keep);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetMallocOption(int option, int value);
}
