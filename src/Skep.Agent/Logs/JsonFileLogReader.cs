using Microsoft.Win32.SafeHandles;

namespace Skep.Agent.Logs;

/// <summary>
/// Goes through a log's files from the place that a query names to the present end, as often as it is asked. Tail is found from
/// the end backwards, so the last lines of a large log cost as little as those of a small one.
/// </summary>
internal sealed class JsonFileLogReader : IDisposable
{
    private const int BlockSize = 64 * 1024;

    private readonly JsonFileLog _log;
    private readonly LogQuery _query;
    private readonly Queue<SafeFileHandle> _older = new();
    private byte[] _block = new byte[BlockSize];
    private int _start;
    private int _end;
    private long _position;
    private LogSegment? _current;
    private bool _opened;

    public JsonFileLogReader(JsonFileLog log, LogQuery query)
    {
        (_log, _query) = (log, query);
        TryOpen();
    }

    public bool TryRead(out LogEntry entry)
    {
        while (TryReadLine(out var line))
        {
            if (JsonFileRecord.TryRead(line, out entry)
                && (entry.Source == LogSource.Stdout ? _query.Stdout : _query.Stderr)
                && (_query.Since is null || entry.Time >= _query.Since))
            {
                return true;
            }
        }

        entry = default;
        return false;
    }

    public void Dispose()
    {
        foreach (var file in _older)
        {
            file.Dispose();
        }

        if (_current is not null)
        {
            _log.Release(_current);
        }
    }

    private void TryOpen()
    {
        var (older, current, length) = _log.Snapshot();
        _current = current;
        _opened = current is not null || older.Count > 0;
        if (_query.Tail is { } tail && _opened)
        {
            Seek(older, current, length, tail);
        }
        else
        {
            older.ForEach(_older.Enqueue);
        }
    }

    private void Seek(List<SafeFileHandle> older, LogSegment? current, long length, int tail)
    {
        var (wanted, offset) = current is null ? (tail, 0) : FromEnd(current.File, length, tail);
        var index = older.Count;
        while (wanted > 0 && index > 0)
        {
            index--;
            (wanted, offset) = FromEnd(older[index], RandomAccess.GetLength(older[index]), wanted);
        }

        _position = offset;
        for (var i = 0; i < older.Count; i++)
        {
            if (i < index)
            {
                older[i].Dispose();
            }
            else
            {
                _older.Enqueue(older[i]);
            }
        }
    }

    /// <summary>Where the last <paramref name="lines"/> lines begin, and how many of them are in earlier files.</summary>
    private static (int Missing, long Offset) FromEnd(SafeFileHandle file, long length, int lines)
    {
        if (lines == 0)
        {
            return (0, length);
        }

        var block = new byte[BlockSize];
        var found = 0;
        for (var end = length; end > 0;)
        {
            var begin = Math.Max(0, end - BlockSize);
            var count = RandomAccess.Read(file, block.AsSpan(0, (int)(end - begin)), begin);
            for (var i = count - 1; i >= 0; i--)
            {
                // The newline that ends the file belongs to the last line.
                if (block[i] == '\n' && begin + i != length - 1 && ++found == lines)
                {
                    return (0, begin + i + 1);
                }
            }

            end = begin;
        }

        return (length == 0 ? lines : lines - found - 1, 0);
    }

    private bool TryReadLine(out ReadOnlySpan<byte> line)
    {
        while (true)
        {
            var newline = _block.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                line = _block.AsSpan(_start, newline);
                _start += newline + 1;
                return true;
            }

            if (!Fill())
            {
                line = default;
                return false;
            }
        }
    }

    private bool Fill()
    {
        if (!_opened)
        {
            TryOpen();
        }

        while (true)
        {
            var file = _older.Count > 0 ? _older.Peek() : _current?.File;
            if (file is null)
            {
                return false;
            }

            var limit = _older.Count > 0 ? RandomAccess.GetLength(file) : _log.LengthOf(_current!);
            if (_position < limit)
            {
                MakeRoom();
                var count = RandomAccess.Read(file, _block.AsSpan(_end, (int)Math.Min(_block.Length - _end, limit - _position)), _position);
                _position += count;
                _end += count;
                return count > 0;
            }

            if (_older.Count > 0)
            {
                _older.Dequeue().Dispose();
            }
            else if (_log.Advance(_current!) is { } next)
            {
                _current = next;
            }
            else
            {
                return false;
            }

            // A torn record at the end of a file must not swallow the first one of the next.
            (_position, _start, _end) = (0, 0, 0);
        }
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _block.AsSpan(_start, _end - _start).CopyTo(_block);
            (_end, _start) = (_end - _start, 0);
        }

        if (_end == _block.Length)
        {
            Array.Resize(ref _block, _block.Length * 2);
        }
    }
}
