using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Skep.Manager.Dispatch;

namespace Skep.UnitTests.Manager.Dispatch;

/// <summary>What a dispatcher logs.</summary>
internal sealed class DispatchJournal : ILogger<Dispatcher>
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyList<string> Of(string word) => [.. _lines.Where(l => l.Contains(word, StringComparison.Ordinal))];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{logLevel}: {formatter(state, exception)}");
}
