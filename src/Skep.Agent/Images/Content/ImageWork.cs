using System.Globalization;
using Microsoft.Extensions.Logging;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.Agent.Images.Content;

/// <summary>
/// A piece of work on images. What it makes or finds is under a lease of containerd until it is over, so that the garbage
/// collector does not take a layer before an image's record names it.
/// </summary>
internal sealed class ImageWork : IAsyncDisposable
{
    // A lease of a daemon that died in the middle ends by itself; until then its partial downloads can be taken up.
    private static readonly TimeSpan s_leaseLife = TimeSpan.FromHours(24);

    private readonly RpcChannel _channel;
    private readonly string _lease;
    private readonly ILogger _logger;

    private ImageWork(RpcChannel channel, string lease, ILogger logger)
    {
        _channel = channel;
        _lease = lease;
        _logger = logger;
        var leased = channel.WithHeader("containerd-lease", lease);
        Blobs = new ContainerdBlobStore(leased, lease);
        Snapshots = new LayerSnapshots(leased, lease);
    }

    public IBlobStore Blobs { get; }

    public LayerSnapshots Snapshots { get; }

    public static async Task<ImageWork> BeginAsync(RpcChannel channel, TimeProvider clock, ILogger logger, CancellationToken cancellationToken)
    {
        var request = new CreateLeaseRequest { Id = "skep-images-" + Guid.NewGuid().ToString("N") };
        var end = clock.GetUtcNow() + s_leaseLife;
        request.Labels["containerd.io/gc.expire"] = end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        await channel.UnaryAsync(ContainerdMethods.CreateLease, request, cancellationToken);
        return new ImageWork(channel, request.Id, logger);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _channel.UnaryAsync(ContainerdMethods.DeleteLease, new DeleteLeaseRequest { Id = _lease }, CancellationToken.None);
        }
        catch (RpcException e)
        {
            _logger.LeaseLeft(_lease, e.Message);
        }
    }
}
