using System.Net;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Kernel.NfLog;
using Skep.Network;
using Skep.Network.Desired;
using Skep.Network.Ejection;
using Skep.Testing.Time;

namespace Skep.UnitTests.Network.Ejection;

/// <summary>What a node knows of backends while nobody refuses: web's 10.0.1.4 answers on port 3000.</summary>
public sealed class EjectorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ejector-").FullName;
    private readonly ManualClock _clock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<BackendHealth> _published = Channel.CreateUnbounded<BackendHealth>();
    private BackendHealth _health = BackendHealth.Unknown;

    [Fact]
    public async Task An_answer_is_forgotten_after_ten_minutes_though_nobody_refuses()
    {
        var ejector = New();
        var running = ejector.RunAsync(_stop.Token);
        ejector.Told("2-demo00id", Answer());
        Assert.Equal([new AnsweringPort("demo00id", "s1", 6, 3000)], (await NextAsync()).Answering);
        _clock.Advance(EjectionBook.Memory);
        Assert.Empty((await NextAsync()).Answering);
        await EndAsync(running);
    }

    [Fact]
    public async Task The_next_daemon_knows_what_this_one_knew_at_its_end_and_nothing_of_a_swarm_that_was_left()
    {
        var ejector = New();
        var running = ejector.RunAsync(_stop.Token);
        ejector.Told("2-demo00id", Answer());
        await NextAsync();
        await EndAsync(running);
        Assert.Single(New().Remembered().Answering);

        using var stop = new CancellationTokenSource();
        ejector = New();
        running = ejector.RunAsync(stop.Token);
        ejector.Forget();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Empty(New().Remembered().Answering);
    }

    public void Dispose()
    {
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // A SYN|ACK of 10.0.1.4, port 3000.
    private static LoggedPacket Answer() =>
        new("", Convert.FromHexString("45000028000040004006" + "00000a0001040a000105" + "0bb8c001123456780000000150120000" + "00000000"));

    private Ejector New() => new(
        new NodeNetworkOptions { NodeId = "n1", Vtep = IPAddress.Parse("192.0.2.1"), StateFolder = _folder, Clock = _clock },
        () => PlanExample.Node(),
        learn => _published.Writer.WriteAsync(_health = learn(_health)).AsTask(),
        NullLogger.Instance);

    private async Task<BackendHealth> NextAsync() => await _published.Reader.ReadAsync(TestContext.Current.CancellationToken);

    private async Task EndAsync(Task running)
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}
