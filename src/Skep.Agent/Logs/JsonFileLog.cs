using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Skep.Agent.Logs;

/// <summary>
/// A container's output in Docker's json-file format. One writer (the output thread), any number of readers; a follower sleeps
/// until the writer has written. When the disk is full the container goes on: lines are dropped and counted until there is room.
/// </summary>
public sealed class JsonFileLog : IContainerLog, IDisposable
{
    /// <summary>Longer lines are kept as pieces of this many bytes.</summary>
    public const int LongestPiece = 16 * 1024;

    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly LogOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly ArrayBufferWriter<byte> _output = new(4096);
    private readonly LineBuffer[] _partial = [new(), new()];
    private LogSegment? _current;
    private TaskCompletionSource _grown = NewSignal();
    private bool _open;
    private long _lost;

    /// <summary>Opens the log for reading; <see cref="Open"/> makes it writable. <paramref name="path"/> is the current file; older ones have .1, .2 … behind it.</summary>
    public JsonFileLog(string path, LogOptions options, TimeProvider clock, ILogger logger)
    {
        (_path, _options, _clock, _logger) = (path, options, clock, logger);
    }

    /// <summary>Lines that could not be written since the log was opened.</summary>
    public long LostLines { get; private set; }

    /// <summary>The container exists and will write: followers wait for it. Makes the file when it is not there.</summary>
    public void Open()
    {
        lock (_gate)
        {
            _current ??= OpenSegment(FileMode.OpenOrCreate);
            _open = true;
        }
    }

    /// <summary>Takes a piece of output. Lines that are whole are written together, in one call; the rest waits for its end.</summary>
    public void Append(LogSource source, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            Span<byte> stamp = stackalloc byte[40];
            var time = stamp[..JsonFileRecord.FormatTime(_clock.GetUtcNow(), stamp)];
            var partial = _partial[(int)source - 1];
            var lines = 0;
            while (bytes.Length > 0)
            {
                var end = bytes.IndexOf((byte)'\n');
                var take = Math.Min(end < 0 ? bytes.Length : end + 1, LongestPiece - partial.Length);
                var whole = take == end + 1 || partial.Length + take == LongestPiece;
                if (whole && partial.Length == 0)
                {
                    JsonFileRecord.Write(_output, source, bytes[..take], time);
                    lines++;
                }
                else
                {
                    partial.Add(bytes[..take]);
                    if (whole)
                    {
                        JsonFileRecord.Write(_output, source, partial.Content, time);
                        partial.Clear();
                        lines++;
                    }
                }

                bytes = bytes[take..];
            }

            Flush(lines);
        }
    }

    /// <summary>All output has come: the last line is written even without its end, and followers end.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            Close();
        }
    }

    public async IAsyncEnumerable<LogEntry> ReadAsync(LogQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = new JsonFileLogReader(this, query);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            // The signal is taken before the read: what is written in between shows as a signal that is set already.
            Task grown;
            bool open;
            lock (_gate)
            {
                (grown, open) = (_grown.Task, _open);
            }

            while (reader.TryRead(out var entry))
            {
                if (query.Until is not null && entry.Time > query.Until)
                {
                    yield break;
                }

                yield return entry;
                cancellationToken.ThrowIfCancellationRequested();
            }

            if (!query.Follow || !open)
            {
                yield break;
            }

            await grown.WaitAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            Close();
        }
    }

    /// <summary>The older files, oldest first, opened; and the current segment, held for the caller, with its length now.</summary>
    internal (List<SafeFileHandle> Older, LogSegment? Current, long Length) Snapshot()
    {
        lock (_gate)
        {
            var older = new List<SafeFileHandle>();
            for (var i = _options.MaxFiles - 1; i >= 1; i--)
            {
                var file = $"{_path}.{i}";
                if (File.Exists(file))
                {
                    older.Add(File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
                }
            }

            if (_current is null && File.Exists(_path))
            {
                var segment = OpenSegment(FileMode.Open);
                return (older, segment, segment.Length);
            }

            _current?.Hold();
            return (older, _current, _current?.Length ?? 0);
        }
    }

    internal long LengthOf(LogSegment segment)
    {
        lock (_gate)
        {
            return segment.Length;
        }
    }

    /// <summary>Moves a reader's hold to the next segment; null when this is still the last.</summary>
    internal LogSegment? Advance(LogSegment segment)
    {
        lock (_gate)
        {
            var next = segment.Next;
            if (next is not null)
            {
                next.Hold();
                segment.Release();
            }

            return next;
        }
    }

    internal void Release(LogSegment segment)
    {
        lock (_gate)
        {
            segment.Release();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Close()
    {
        WritePartials();
        _open = false;
        Pulse();
        _current?.Release();
        _current = null;
    }

    private void WritePartials()
    {
        Span<byte> stamp = stackalloc byte[40];
        var time = stamp[..JsonFileRecord.FormatTime(_clock.GetUtcNow(), stamp)];
        var lines = 0;
        for (var i = 0; i < _partial.Length; i++)
        {
            if (_partial[i].Length > 0)
            {
                JsonFileRecord.Write(_output, (LogSource)(i + 1), _partial[i].Content, time);
                _partial[i].Clear();
                lines++;
            }
        }

        Flush(lines);
    }

    private void Flush(int lines)
    {
        if (lines == 0 || _current is null)
        {
            _output.ResetWrittenCount();
            return;
        }

        try
        {
            if (_options.MaxSize > 0 && _current.Length >= _options.MaxSize)
            {
                Rotate();
            }

            RandomAccess.Write(_current.File, _output.WrittenSpan, _current.Length);
            _current.Length += _output.WrittenCount;
            if (_lost > 0)
            {
                _logger.LogKeptAgain(_path, _lost);
                _lost = 0;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Lose(lines, error);
        }

        _output.ResetWrittenCount();
        Pulse();
    }

    private void Lose(int lines, Exception error)
    {
        if (_lost == 0)
        {
            _logger.LogNotKept(_path, error.Message);
        }

        _lost += lines;
        LostLines += lines;
        try
        {
            // A record that was half written would hide the one after it.
            RandomAccess.SetLength(_current!.File, _current.Length);
        }
        catch (IOException)
        {
        }
    }

    private void Rotate()
    {
        for (var i = _options.MaxFiles - 1; i >= 1; i--)
        {
            var from = i == 1 ? _path : $"{_path}.{i - 1}";
            if (File.Exists(from))
            {
                File.Move(from, $"{_path}.{i}", overwrite: true);
            }
        }

        File.Delete(_path);
        var next = OpenSegment(FileMode.CreateNew);
        _current!.Seal(next);
        _current = next;
    }

    private LogSegment OpenSegment(FileMode mode)
    {
        var file = File.OpenHandle(_path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        File.SetUnixFileMode(file, Mode);
        return new LogSegment(file, RandomAccess.GetLength(file));
    }

    private void Pulse()
    {
        _grown.TrySetResult();
        _grown = NewSignal();
    }

    /// <summary>The beginning of a line whose end has not come.</summary>
    private sealed class LineBuffer
    {
        private byte[] _bytes = [];

        public int Length { get; private set; }
        public ReadOnlySpan<byte> Content => _bytes.AsSpan(0, Length);

        public void Add(ReadOnlySpan<byte> bytes)
        {
            if (_bytes.Length < Length + bytes.Length)
            {
                Array.Resize(ref _bytes, Math.Max(256, 2 * (Length + bytes.Length)));
            }

            bytes.CopyTo(_bytes.AsSpan(Length));
            Length += bytes.Length;
        }

        public void Clear() => Length = 0;
    }
}
