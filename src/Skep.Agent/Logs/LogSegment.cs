using Microsoft.Win32.SafeHandles;

namespace Skep.Agent.Logs;

/// <summary>
/// One file of a log while somebody writes or follows it. The open descriptor outlives a rename and a deletion, and each segment
/// holds the next, so a slow follower loses nothing across rotations. Counts are guarded by the log's lock.
/// </summary>
internal sealed class LogSegment(SafeFileHandle file, long length)
{
    private int _holders = 1;

    public SafeFileHandle File { get; } = file;

    /// <summary>Bytes that are whole records.</summary>
    public long Length { get; set; } = length;

    /// <summary>The segment after this one; this one does not grow any more.</summary>
    public LogSegment? Next { get; private set; }

    public void Hold() => _holders++;

    public void Release()
    {
        if (--_holders == 0)
        {
            File.Dispose();
            Next?.Release();
        }
    }

    /// <summary>Ends this segment in favour of the next; the writer's hold moves on.</summary>
    public void Seal(LogSegment next)
    {
        Next = next;
        next.Hold();
        Release();
    }
}
