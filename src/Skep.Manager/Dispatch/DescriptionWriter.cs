using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Skep.Manager.Store;
using Skep.Model.Errors;
using Skep.Model.Objects;

namespace Skep.Manager.Dispatch;

/// <summary>Stores what nodes say of themselves after their hello: what their own programs listen on.</summary>
internal sealed class DescriptionWriter(IClusterStore store, TimeProvider clock, ILogger log)
{
    private static readonly TimeSpan s_pauseAfterFailure = TimeSpan.FromMilliseconds(500);

    private readonly Channel<(string NodeId, NodeDescription Description)> _said =
        Channel.CreateUnbounded<(string, NodeDescription)>(new UnboundedChannelOptions { SingleReader = true });

    public void Report(string nodeId, NodeDescription description) => _said.Writer.TryWrite((nodeId, description));

    public async Task RunAsync(CancellationToken stopping)
    {
        await foreach (var (nodeId, description) in _said.Reader.ReadAllAsync(stopping))
        {
            await WriteAsync(nodeId, description, stopping);
        }
    }

    private async Task WriteAsync(string nodeId, NodeDescription description, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                await store.EditNodeAsync(nodeId, node => node with { Description = description, UpdatedAt = clock.GetUtcNow() }, stopping);
                return;
            }
            catch (ClusterException e) when (e.Kind is ErrorKind.Unavailable or ErrorKind.DeadlineExceeded)
            {
                log.DescriptionWaits(nodeId, e.Message);
                await Task.Delay(s_pauseAfterFailure, clock, stopping);
            }
        }
    }
}
