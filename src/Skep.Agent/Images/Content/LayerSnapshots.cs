using Skep.Agent.Images.Manifests;
using Skep.Model.Errors;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.Agent.Images.Content;

/// <summary>
/// Unpacked layers: committed overlayfs snapshots, each named by its chain id and standing on the one below
/// (the naming that containerd's own tools use, so that they find them).
/// </summary>
internal sealed class LayerSnapshots(RpcChannel channel, string lease)
{
    public const string Snapshotter = "overlayfs";

    public async Task<bool> ExistsAsync(string chainId, CancellationToken cancellationToken)
    {
        try
        {
            var hold = new AddLeaseResourceRequest { Id = lease, Resource = new LeaseResource { Id = chainId, Type = "snapshots/" + Snapshotter } };
            await channel.UnaryAsync(ContainerdMethods.AddLeaseResource, hold, cancellationToken);
            await channel.UnaryAsync(
                ContainerdMethods.StatSnapshot, new StatSnapshotRequest { Snapshotter = Snapshotter, Key = chainId }, cancellationToken);
            return true;
        }
        catch (RpcException e) when (e.Code == RpcStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Unpacks one layer onto <paramref name="parent"/> (empty for the lowest) and checks what came out against <paramref name="diffId"/>.</summary>
    public async Task UnpackAsync(Descriptor layer, string diffId, string parent, string chainId, CancellationToken cancellationToken)
    {
        var key = $"unpack-{Guid.NewGuid():N}-{chainId}";
        var prepare = new PrepareSnapshotRequest { Snapshotter = Snapshotter, Key = key, Parent = parent };
        var prepared = await channel.UnaryAsync(ContainerdMethods.PrepareSnapshot, prepare, cancellationToken);
        try
        {
            var apply = new ApplyDiffRequest
            {
                Diff = new ContentDescriptor { MediaType = layer.MediaType, Digest = layer.Digest, Size = layer.Size },
            };
            apply.Mounts.AddRange(prepared.Mounts);
            var applied = await channel.UnaryAsync(ContainerdMethods.ApplyDiff, apply, cancellationToken);
            if (applied.Applied.Digest != diffId)
            {
                throw new InvalidDataException($"wrong diff id calculated on extraction {applied.Applied.Digest}; the image's configuration says {diffId}");
            }
            await channel.UnaryAsync(
                ContainerdMethods.CommitSnapshot, new CommitSnapshotRequest { Snapshotter = Snapshotter, Key = key, Name = chainId }, cancellationToken);
        }
        catch (Exception e)
        {
            await RemoveAsync(key);
            // Another piece of work has unpacked the same layer; its snapshot is as good.
            if (e is RpcException { Code: RpcStatusCode.AlreadyExists })
            {
                return;
            }
            if (e is RpcException { Code: RpcStatusCode.Unknown or RpcStatusCode.InvalidArgument or RpcStatusCode.Unimplemented } broken)
            {
                throw new ClusterException(
                    ErrorKind.Internal, $"failed to register layer {Digests.Short(layer.Digest)}: {broken.Message}", broken);
            }
            throw;
        }
    }

    /// <summary>Bytes that a layer adds.</summary>
    public async Task<long> SizeAsync(string chainId, CancellationToken cancellationToken)
    {
        var usage = await channel.UnaryAsync(
            ContainerdMethods.SnapshotUsage, new SnapshotUsageRequest { Snapshotter = Snapshotter, Key = chainId }, cancellationToken);
        return usage.Size;
    }

    private async Task RemoveAsync(string key)
    {
        try
        {
            await channel.UnaryAsync(
                ContainerdMethods.RemoveSnapshot, new RemoveSnapshotRequest { Snapshotter = Snapshotter, Key = key }, CancellationToken.None);
        }
        catch (RpcException)
        {
            // The garbage collector takes it when the lease ends.
        }
    }
}
