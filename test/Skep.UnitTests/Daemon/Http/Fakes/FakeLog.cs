using System.Runtime.CompilerServices;
using System.Text;
using Skep.Agent.Logs;

namespace Skep.UnitTests.Daemon.Http.Fakes;

/// <summary>Lines in memory; a follower gets the later ones until the end.</summary>
internal sealed class FakeLog : IContainerLog
{
    private readonly List<LogEntry> _entries = [];
    private readonly Lock _gate = new();
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;

    public void Write(LogSource source, string line, DateTimeOffset? at = null) =>
        Change(() => _entries.Add(new LogEntry(at ?? DateTimeOffset.UnixEpoch, source, Encoding.UTF8.GetBytes(line))));

    public void End() => Change(() => _ended = true);

    public async IAsyncEnumerable<LogEntry> ReadAsync(LogQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = query.Tail is { } tail ? Math.Max(0, _entries.Count - tail) : 0;
        while (true)
        {
            LogEntry[] fresh;
            Task more;
            bool ended;
            lock (_gate)
            {
                fresh = [.. _entries.Skip(next)];
                (more, ended) = (_more.Task, _ended);
            }

            next += fresh.Length;
            foreach (var entry in fresh.Where(e => e.Source == LogSource.Stdout ? query.Stdout : query.Stderr))
            {
                yield return entry;
            }

            if (!query.Follow || ended)
            {
                yield break;
            }

            await more.WaitAsync(cancellationToken);
        }
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            _more.SetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
