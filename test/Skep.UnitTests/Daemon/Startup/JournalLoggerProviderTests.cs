using System.Text;
using Microsoft.Extensions.Logging;
using Skep.Daemon.Startup;
using Skep.Testing.Time;

namespace Skep.UnitTests.Daemon.Startup;

#pragma warning disable CA1848, CA2254 // What is written is what is tested.

public sealed class JournalLoggerProviderTests : IDisposable
{
    private readonly MemoryStream _output = new();

    [Fact]
    public void A_line_has_time_level_area_and_sentence()
    {
        using var provider = new JournalLoggerProvider(LogLevel.Debug, new ManualClock(), _output, underSystemd: false);

        provider.CreateLogger("Skep.Manager.Dispatch.Dispatcher").LogInformation("Node n1\nis ready");
        provider.CreateLogger("Skep").LogWarning("short");
        provider.CreateLogger("Skep.Agent.Tasks.TaskManager").LogTrace("too fine");

        Assert.Equal("2030-01-01T00:00:00.000Z INFO  manager.dispatch: Node n1 is ready\n2030-01-01T00:00:00.000Z WARN  skep: short\n", Text);
    }

    [Fact]
    public void Under_systemd_every_line_carries_its_priority()
    {
        using var provider = new JournalLoggerProvider(LogLevel.Information, new ManualClock(), _output, underSystemd: true);

        provider.CreateLogger("Skep.Agent.Tasks.X").LogError(new InvalidOperationException("first\nsecond"), "it broke");

        Assert.Equal("<3>ERROR agent.tasks: it broke\n<3>    System.InvalidOperationException: first\n<3>    second\n", Text);
    }

    [Fact]
    public void A_reader_that_went_away_stops_nobody()
    {
        using var provider = new JournalLoggerProvider(LogLevel.Information, new ManualClock(), new BrokenStream(), underSystemd: false);

        provider.CreateLogger("Skep.Agent.Tasks.X").LogError("nobody reads this");
    }

    public void Dispose() => _output.Dispose();

    private string Text => Encoding.UTF8.GetString(_output.ToArray());

    private sealed class BrokenStream : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("Broken pipe");
    }
}
