using System.Diagnostics;
using Skep.Kernel.Namespaces;

namespace Skep.Bench.Names;

/// <summary>
/// Asks one question as fast as the answers come, with a hundred outstanding on two sockets, as dnsperf does it, but all that is due on a socket by one
/// system call. What the asker spends on a name (dnsperf 7 µs) is then not the limit of every server that is faster. Every answer is checked.
/// </summary>
/// <param name="space">Path of the namespace in which it asks 127.0.0.11.</param>
/// <param name="name">The name whose IPv4 addresses it asks for.</param>
/// <param name="records">How many records the right answer has.</param>
/// <param name="seconds">How long each run asks.</param>
internal sealed class NameFlood(string space, string name, int records, int seconds)
{
    private const int Sockets = 2;
    private const int Window = 50;
    private const int LookMs = 100;

    // What is not answered by then is lost.
    private static readonly long s_patience = Stopwatch.Frequency;

    public Task<NamesReport> RunAsync(CancellationToken cancellationToken) =>
        Task.Factory.StartNew(() => Run(cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private unsafe NamesReport Run(CancellationToken cancellationToken)
    {
        using var network = NetworkNamespace.Open(space);
        var sockets = new List<FloodSocket>();
        try
        {
            for (var i = 0; i < Sockets; i++)
            {
                sockets.Add(new FloodSocket(network, name, records, Window));
            }

            var interests = stackalloc FloodNative.Interest[Sockets];
            for (var i = 0; i < Sockets; i++)
            {
                interests[i] = new FloodNative.Interest { Descriptor = sockets[i].Descriptor, Events = FloodNative.PollIn };
            }

            var count = new FloodCount();
            var used = FloodNative.ProcessorSeconds(FloodNative.OfThread);
            var begin = Stopwatch.GetTimestamp();
            var (end, look) = (begin + (seconds * Stopwatch.Frequency), begin);
            sockets.ForEach(socket => socket.Ask(Window, count));
            for (var now = begin; now < end; now = Stopwatch.GetTimestamp())
            {
                cancellationToken.ThrowIfCancellationRequested();
                Hear(interests, sockets, count, again: true);
                if (now - look > s_patience / 4)
                {
                    look = now;
                    sockets.ForEach(socket => socket.Ask(socket.GiveUp(now - s_patience, count), count));
                }
            }

            var (answers, lasted, spent) = (count.Answers, Stopwatch.GetElapsedTime(begin), FloodNative.ProcessorSeconds(FloodNative.OfThread) - used);
            for (end = Stopwatch.GetTimestamp() + s_patience; count.Answers + count.Lost < count.Asked && Stopwatch.GetTimestamp() < end;)
            {
                Hear(interests, sockets, count, again: false);
            }

            sockets.ForEach(socket => socket.GiveUp(long.MaxValue, count));
            return answers == 0
                ? throw new BenchException($"nobody answers for {name}")
                : new NamesReport(answers, answers / lasted.TotalSeconds, count.Lost / (double)count.Asked, count.Wrong / (double)count.Answers, count.Within(0.99), spent * 1e6 / answers);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    /// <summary>Waits until something came, takes it, and asks as many times again.</summary>
    private static unsafe void Hear(FloodNative.Interest* interests, List<FloodSocket> sockets, FloodCount count, bool again)
    {
        _ = FloodNative.Poll(interests, Sockets, LookMs);
        for (var i = 0; i < Sockets; i++)
        {
            if (interests[i].Seen != 0 && sockets[i].Hear(count) is > 0 and var free && again)
            {
                sockets[i].Ask(free, count);
            }
        }
    }
}
