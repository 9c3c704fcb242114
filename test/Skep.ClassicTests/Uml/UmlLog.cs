using Microsoft.Extensions.Logging;

namespace Skep.ClassicTests.Uml;

/// <summary>Log lines onto the machine's console, where a failure shows them.</summary>
internal sealed class UmlLog<T>(string name, LogLevel lowest = LogLevel.Information) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= lowest;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            Console.Error.WriteLine($"{name} {logLevel}: {formatter(state, exception)} {exception?.Message}");
        }
    }
}
