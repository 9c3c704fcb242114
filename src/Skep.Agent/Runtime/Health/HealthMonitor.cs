using System.Globalization;
using System.Text;
using Skep.Model.Errors;
using Skep.Model.Specs;

namespace Skep.Agent.Runtime.Health;

/// <summary>Probes a running container and keeps its health: Docker's rules and defaults (30 s, 30 s, 0, 5 s, 3; 4096 bytes; five results).</summary>
internal sealed class HealthMonitor(RuntimeParts parts, Func<Container, ExecRecipe, Exec> createExec)
{
    private const int LongestOutput = 4096;
    private const int KeptProbes = 5;

    public async Task WatchAsync(Container container, CancellationToken stopping)
    {
        if (container.Snapshot.Config.Healthcheck is not { Test: [not "NONE", ..] test } config)
        {
            return;
        }

        var startPeriodEnd = (container.Snapshot.StartedAt ?? parts.Clock.GetUtcNow()) + HealthRules.Duration(config.StartPeriod, TimeSpan.Zero);
        var timeout = HealthRules.Duration(config.Timeout, TimeSpan.FromSeconds(30));
        try
        {
            while (true)
            {
                var starting = container.Snapshot.Health is { Status: "starting" } && parts.Clock.GetUtcNow() < startPeriodEnd;
                var pause = starting ? HealthRules.Duration(config.StartInterval, TimeSpan.FromSeconds(5)) : HealthRules.Duration(config.Interval, TimeSpan.FromSeconds(30));
                await Task.Delay(pause, parts.Clock, stopping);
                var probe = await ProbeAsync(container, test, timeout, stopping);
                Take(container, config, probe, startPeriodEnd);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private void Take(Container container, HealthConfig config, HealthProbe probe, DateTimeOffset startPeriodEnd)
    {
        var before = container.Snapshot.Health;
        var next = HealthRules.Next(before, probe, config.Retries is > 0 ? config.Retries.Value : 3, probe.Start < startPeriodEnd, KeptProbes);
        var changed = next.Status != before?.Status;
        container.Update(s => s with { Health = next }, save: changed);
        if (changed)
        {
            parts.Logger.HealthChanged(container.Id, next.Status);
            container.Publish("health_status: " + next.Status);
        }
    }

    private async Task<HealthProbe> ProbeAsync(Container container, IReadOnlyList<string> test, TimeSpan timeout, CancellationToken stopping)
    {
        var began = parts.Clock.GetUtcNow();
        IReadOnlyList<string> command = test[0] switch
        {
            "CMD-SHELL" => ["/bin/sh", "-c", .. test.Skip(1)],
            _ => [.. test.Skip(1)],
        };
        var exec = createExec(container, new ExecRecipe { Command = command, AttachStdout = true, AttachStderr = true });
        using var limit = new CancellationTokenSource(timeout, parts.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            var streams = await exec.StartAsync(stopping);
            var output = new ProbeOutput(LongestOutput);
            await Task.WhenAll(output.ReadAsync(streams.Stdout, either.Token), output.ReadAsync(streams.Stderr, either.Token));
            var code = await exec.WaitAsync(either.Token);
            return new HealthProbe(began, parts.Clock.GetUtcNow(), code, output.Text);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            await KillAsync(container, exec);
            var text = string.Create(CultureInfo.InvariantCulture, $"Health check exceeded timeout ({HealthRules.Text(timeout)})");
            return new HealthProbe(began, parts.Clock.GetUtcNow(), -1, text);
        }
        catch (Exception error) when (error is ClusterException or Rpc.RpcException or IOException)
        {
            stopping.ThrowIfCancellationRequested();
            parts.Logger.ProbeNotRun(container.Id, error.Message);
            return new HealthProbe(began, parts.Clock.GetUtcNow(), -1, error.Message);
        }
    }

    private async Task KillAsync(Container container, Exec exec)
    {
        try
        {
            await exec.KillAsync();
        }
        catch (Exception error) when (error is ClusterException or Rpc.RpcException)
        {
            parts.Logger.ProbeNotRun(container.Id, error.Message);
        }
    }

    private sealed class ProbeOutput(int limit)
    {
        private readonly List<byte> _bytes = [];
        private bool _truncated;

        public string Text => Encoding.UTF8.GetString([.. _bytes]) + (_truncated ? "..." : "");

        public async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
        {
            var buffer = new byte[1024];
            int count;
            while ((count = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                lock (_bytes)
                {
                    var room = Math.Min(count, limit - _bytes.Count);
                    _bytes.AddRange(buffer.AsSpan(0, room));
                    _truncated |= room < count;
                }
            }
        }
    }
}
