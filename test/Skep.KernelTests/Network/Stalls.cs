using System.Globalization;

namespace Skep.KernelTests.Network;

/// <summary>
/// How long this process waits for its turns on a machine that has much else to do. A bar of time is that much further away: a second of a machine
/// on which every thread waits twice as long as it runs is three.
/// </summary>
internal sealed class Stalls : IAsyncDisposable
{
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(60);
    private const long Burst = 2_000_000;

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private readonly Thread _running;
    private long _late;
    private long _ran;
    private long _waited;

    public Stalls()
    {
        _watching = WatchAsync();
        _running = new Thread(Run) { IsBackground = true };
        _running.Start();
    }

    /// <summary>What a second becomes, since the last <see cref="Reset"/>.</summary>
    public TimeSpan Second
    {
        get
        {
            var (ran, waited) = (Interlocked.Read(ref _ran), Interlocked.Read(ref _waited));
            return TimeSpan.FromSeconds(ran == 0 ? 1 : 1 + ((double)waited / ran)) + new TimeSpan(Interlocked.Read(ref _late));
        }
    }

    public void Reset()
    {
        Interlocked.Exchange(ref _late, 0);
        Interlocked.Exchange(ref _ran, 0);
        Interlocked.Exchange(ref _waited, 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _running.Join();
        _stop.Dispose();
    }

    // How late the pool's timers are.
    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(s_period);
        var last = TimeProvider.System.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                var now = TimeProvider.System.GetTimestamp();
                var late = TimeProvider.System.GetElapsedTime(last, now) - s_period;
                Interlocked.Add(ref _late, late > s_period ? late.Ticks : 0);
                last = now;
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    // A thread that has a little to do now and then: how long it ran, and how long it was ready to run and did not (Documentation/scheduler/sched-stats.rst).
    private void Run()
    {
        while (!_stop.Token.WaitHandle.WaitOne(s_pause))
        {
            var (ran, waited) = Schedule();
            var now = (Ran: ran, Waited: waited);
            while (now.Ran - ran < Burst && ran > 0)
            {
                now = Schedule();
            }

            Interlocked.Add(ref _ran, now.Ran - ran);
            Interlocked.Add(ref _waited, now.Waited - waited);
        }
    }

    private static (long Ran, long Waited) Schedule()
    {
        var words = File.ReadAllText("/proc/thread-self/schedstat").Split(' ');
        return (long.Parse(words[0], CultureInfo.InvariantCulture), long.Parse(words[1], CultureInfo.InvariantCulture));
    }
}
