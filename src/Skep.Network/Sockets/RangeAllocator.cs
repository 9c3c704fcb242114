namespace Skep.Network.Sockets;

/// <summary>
/// Ranges of an array of fixed length. What is given back is given out again only after <see cref="Recycle"/>: somebody may still be
/// reading it. Lengths are rounded up to powers of two, so that ranges of services that grow and shrink fit again.
/// </summary>
internal sealed class RangeAllocator(int capacity)
{
    private readonly Dictionary<int, Stack<int>> _free = [];
    private readonly List<(int First, int Room)> _retired = [];
    private int _end;

    /// <summary>Whether <see cref="Recycle"/> would free something.</summary>
    public bool HasRetired => _retired.Count > 0;

    /// <summary>The first index of a range of that length; null when there is no room.</summary>
    public int? Take(int length)
    {
        var room = RoomFor(length);
        if (_free.TryGetValue(room, out var stack) && stack.TryPop(out var first))
        {
            return first;
        }

        if (_end + room > capacity)
        {
            return null;
        }

        first = _end;
        _end += room;
        return first;
    }

    public void Retire(int first, int length) => _retired.Add((first, RoomFor(length)));

    /// <summary>Nobody reads any more what was given back.</summary>
    public void Recycle()
    {
        foreach (var (first, room) in _retired)
        {
            if (!_free.TryGetValue(room, out var stack))
            {
                _free[room] = stack = new Stack<int>();
            }

            stack.Push(first);
        }

        _retired.Clear();
    }

    public static int RoomFor(int length) => (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, 1));
}
