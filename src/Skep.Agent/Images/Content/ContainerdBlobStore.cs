using Google.Protobuf.WellKnownTypes;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.Agent.Images.Content;

/// <summary>containerd's content store, over its API.</summary>
internal sealed class ContainerdBlobStore(RpcChannel channel, string lease) : IBlobStore
{
    public async Task<long?> FindAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            // Held first: between a look and a hold the garbage collector could come by.
            await HoldAsync(digest, cancellationToken);
            var answer = await channel.UnaryAsync(ContainerdMethods.ContentInfo, new ContentInfoRequest { Digest = digest }, cancellationToken);
            return answer.Info.Size;
        }
        catch (RpcException e) when (e.Code == RpcStatusCode.NotFound)
        {
            return null;
        }
    }

    public async Task<IBlobWriter?> WriteAsync(string name, string? digest, long? size, CancellationToken cancellationToken)
    {
        var writer = await ContainerdBlobWriter.OpenAsync(channel, name, digest, size, cancellationToken);
        if (writer is null)
        {
            await HoldAsync(digest!, cancellationToken);
        }
        return writer;
    }

    public async Task<Stream> ReadAsync(string digest, CancellationToken cancellationToken)
    {
        var info = await channel.UnaryAsync(ContainerdMethods.ContentInfo, new ContentInfoRequest { Digest = digest }, cancellationToken);
        return new BlobReadStream(
            token => channel.ServerStreamAsync(ContainerdMethods.ReadContent, new ReadContentRequest { Digest = digest }, token), info.Info.Size);
    }

    public async Task LabelAsync(string digest, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var request = new UpdateContentRequest { Info = new ContentInfo { Digest = digest }, UpdateMask = new FieldMask() };
        foreach (var (key, value) in labels)
        {
            request.Info.Labels[key] = value;
            request.UpdateMask.Paths.Add("labels." + key);
        }
        await channel.UnaryAsync(ContainerdMethods.UpdateContent, request, cancellationToken);
    }

    private async Task HoldAsync(string digest, CancellationToken cancellationToken) => await channel.UnaryAsync(
        ContainerdMethods.AddLeaseResource,
        new AddLeaseResourceRequest { Id = lease, Resource = new LeaseResource { Id = digest, Type = "content" } },
        cancellationToken);
}
