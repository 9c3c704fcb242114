using Microsoft.Win32.SafeHandles;

namespace Skep.Kernel.Native;

/// <summary>
/// Keeps small descriptor numbers for libraries that wait by select(2): its sets end at 1024 (FD_SETSIZE), and a larger number ends the
/// process ("bit out of range"). A daemon with many containers or connections has more descriptors than that.
/// </summary>
internal static class LowDescriptors
{
    private const int Limit = 1024;
    private const int Kept = 512;

    // Let go at once: other threads open descriptors meanwhile and take some of them, the more the busier they are with connections.
    // What they took comes back with one of the next fillings.
    private const int Offered = 256;
    private const int Attempts = 1000;

    private static readonly Lock s_gate = new();
    private static readonly SafeFileHandle s_nothing = Libc.Open("/dev/null");
    private static readonly Stack<int> s_kept = new(Kept);

    /// <summary>Opens a socket when no library does: one of the same protocol that took a number on offer would pass for the library's.</summary>
    public static int Apart(Func<int> open)
    {
        lock (s_gate)
        {
            return open();
        }
    }

    /// <summary>Runs what opens a socket of <paramref name="protocol"/> until that has one of the small numbers.</summary>
    /// <exception cref="IOException">Others took them all, each time.</exception>
    public static T Run<T>(int protocol, Func<T> open)
        where T : IDisposable
    {
        lock (s_gate)
        {
            for (var i = 0; i < Attempts; i++)
            {
                Fill();
                var offered = Offer();
                try
                {
                    var opened = open();
                    if (offered.Exists(d => Libc.ProtocolOf(d) == protocol))
                    {
                        return opened;
                    }

                    opened.Dispose();
                }
                finally
                {
                    Fill();
                }
            }
        }

        throw new IOException($"this process uses all descriptors below {Limit}");
    }

    private static List<int> Offer()
    {
        var offered = new List<int>(Offered);
        while (offered.Count < Offered && s_kept.TryPop(out var kept))
        {
            _ = Libc.Close(kept);
            offered.Add(kept);
        }

        return offered;
    }

    // F_DUPFD takes the smallest number that is free.
    private static void Fill()
    {
        while (s_kept.Count < Kept)
        {
            var free = Libc.Control(s_nothing, Libc.F_DUPFD_CLOEXEC, 0);
            if (free >= Limit)
            {
                _ = Libc.Close(free);
            }

            if (free is < 0 or >= Limit)
            {
                return;
            }

            s_kept.Push(free);
        }
    }
}
