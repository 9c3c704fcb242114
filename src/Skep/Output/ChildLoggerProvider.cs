namespace Skep.Output;

/// <summary>Writes as containerd does (<c>level=warn msg="…"</c>), for a child whose lines the daemon carries to its journal.</summary>
internal sealed class ChildLoggerProvider(TextWriter output) : ILoggerProvider
{
    private readonly TextWriter _output = TextWriter.Synchronized(output);

    public ILogger CreateLogger(string categoryName) => new LineLogger(_output);

    public void Dispose()
    {
    }

    private sealed class LineLogger(TextWriter output) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            output.WriteLine($"level={WordOf(logLevel)} msg=\"{formatter(state, exception)}{(exception is null ? "" : $": {exception}".ReplaceLineEndings(" "))}\"");

        private static string WordOf(LogLevel level) => level switch
        {
            >= LogLevel.Error => "error",
            LogLevel.Warning => "warn",
            LogLevel.Information => "info",
            _ => "debug",
        };
    }
}
