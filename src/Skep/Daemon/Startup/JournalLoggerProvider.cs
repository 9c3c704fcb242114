using System.Globalization;
using System.Text;

namespace Skep.Daemon.Startup;

/// <summary>
/// The daemon's log on stderr, a line per event that reads like a journal: time, level, area, sentence. Under systemd the time
/// is the journal's, and the level goes before as it reads it (sd-daemon(3)).
/// </summary>
internal sealed class JournalLoggerProvider(LogLevel level, TimeProvider clock, Stream output, bool underSystemd) : ILoggerProvider
{
    private readonly Lock _gate = new();

    public JournalLoggerProvider(LogLevel level, TimeProvider clock)
        : this(level, clock, Console.OpenStandardError(), Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 })
    {
    }

    public ILogger CreateLogger(string categoryName) => new JournalLogger(this, Area(categoryName));

    public void Dispose() => output.Dispose();

    /// <summary>Skep.Manager.Dispatch.Dispatcher is of the area manager.dispatch.</summary>
    private static string Area(string category)
    {
        var words = category.Split('.');
        return words.Length < 3 ? category.ToLowerInvariant() : $"{words[1]}.{words[2]}".ToLowerInvariant();
    }

    private void Write(LogLevel at, string area, string message, Exception? exception)
    {
        var line = new StringBuilder();
        var priority = underSystemd ? $"<{Priority(at)}>" : "";
        line.Append(underSystemd ? priority : clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z' ", CultureInfo.InvariantCulture));
        line.Append(Word(at)).Append(' ').Append(area).Append(": ").Append(message.ReplaceLineEndings(" ")).Append('\n');
        if (exception is not null)
        {
            foreach (var part in exception.ToString().Split('\n'))
            {
                line.Append(priority).Append("    ").Append(part.TrimEnd()).Append('\n');
            }
        }

        var bytes = Encoding.UTF8.GetBytes(line.ToString());
        lock (_gate)
        {
            try
            {
                output.Write(bytes);
                output.Flush();
            }
            catch (IOException)
            {
                // A full disk or a reader that went away must not stop the daemon.
            }
        }
    }

    private static string Word(LogLevel at) => at switch
    {
        LogLevel.Trace => "TRACE",
        LogLevel.Debug => "DEBUG",
        LogLevel.Information => "INFO ",
        LogLevel.Warning => "WARN ",
        _ => "ERROR",
    };

    private static int Priority(LogLevel at) => at switch
    {
        LogLevel.Trace or LogLevel.Debug => 7,
        LogLevel.Information => 6,
        LogLevel.Warning => 4,
        LogLevel.Error => 3,
        _ => 2,
    };

    private sealed class JournalLogger(JournalLoggerProvider owner, string area) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && logLevel >= owner.Level;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                owner.Write(logLevel, area, formatter(state, exception), exception);
            }
        }
    }

    private LogLevel Level => level;
}
