using System.Text;

namespace Skep.Daemon.Supervision;

/// <summary>Carries what a child appends to its log file over to the journal, and keeps the file short.</summary>
internal sealed class ChildLog(string name, string path, TimeProvider clock, ILogger logger)
{
    private const long Longest = 4 * 1024 * 1024;
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(250);

    private readonly StringBuilder _line = new();
    private long _position = File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>Runs until cancelled; the last words are read before it ends.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(s_period, clock);
        try
        {
            do
            {
                Read();
            }
            while (await timer.WaitForNextTickAsync(stopping));
        }
        catch (OperationCanceledException)
        {
            Read();
        }
    }

    /// <summary>The level that a line of etcd's (JSON) or containerd's (key=value) gives itself; what is routine for them is detail for us.</summary>
    internal static LogLevel LevelOf(string line)
    {
        if (Says(line, "error") || Says(line, "fatal") || Says(line, "panic"))
        {
            return LogLevel.Error;
        }

        return Says(line, "warn") || Says(line, "warning") ? LogLevel.Warning : LogLevel.Debug;
    }

    private static bool Says(string line, string level) =>
        line.Contains($"\"level\":\"{level}\"", StringComparison.Ordinal) || line.Contains($"level={level} ", StringComparison.Ordinal);

    private void Read()
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            _position = Math.Min(_position, file.Length);
            file.Position = _position;
            using var reader = new StreamReader(file, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, bufferSize: 4096, leaveOpen: true);
            Take(reader.ReadToEnd());
            _position = file.Position;
            if (_position > Longest)
            {
                // The child appends (O_APPEND), so its next line stands at the new end.
                file.SetLength(0);
                _position = 0;
            }
        }
        catch (IOException)
        {
            // Not there yet: the next pass sees it.
        }
    }

    private void Take(string text)
    {
        foreach (var c in text)
        {
            if (c != '\n')
            {
                _line.Append(c);
                continue;
            }

            var line = _line.ToString();
            _line.Clear();
            logger.ChildSaid(LevelOf(line), name, line);
        }
    }
}
