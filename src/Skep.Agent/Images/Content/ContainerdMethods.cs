using Google.Protobuf.WellKnownTypes;
using Skep.Protocol.Containerd;
using Skep.Rpc;

namespace Skep.Agent.Images.Content;

/// <summary>The calls of containerd's API that images need.</summary>
internal static class ContainerdMethods
{
    private const string ContentService = "containerd.services.content.v1.Content";
    private const string ImageService = "containerd.services.images.v1.Images";
    private const string LeaseService = "containerd.services.leases.v1.Leases";
    private const string SnapshotService = "containerd.services.snapshots.v1.Snapshots";

    public static readonly RpcMethod<ContentInfoRequest, ContentInfoResponse> ContentInfo = new(ContentService, "Info");
    public static readonly RpcMethod<UpdateContentRequest, UpdateContentResponse> UpdateContent = new(ContentService, "Update");
    public static readonly RpcMethod<ReadContentRequest, ReadContentResponse> ReadContent = new(ContentService, "Read");
    public static readonly RpcMethod<WriteContentRequest, WriteContentResponse> WriteContent = new(ContentService, "Write");
    public static readonly RpcMethod<AbortContentRequest, Empty> AbortContent = new(ContentService, "Abort");

    public static readonly RpcMethod<ListImagesRequest, ListImagesResponse> ListImages = new(ImageService, "List");
    public static readonly RpcMethod<CreateImageRequest, CreateImageResponse> CreateImage = new(ImageService, "Create");
    public static readonly RpcMethod<UpdateImageRequest, UpdateImageResponse> UpdateImage = new(ImageService, "Update");
    public static readonly RpcMethod<DeleteImageRequest, Empty> DeleteImage = new(ImageService, "Delete");

    public static readonly RpcMethod<CreateLeaseRequest, CreateLeaseResponse> CreateLease = new(LeaseService, "Create");
    public static readonly RpcMethod<DeleteLeaseRequest, Empty> DeleteLease = new(LeaseService, "Delete");
    public static readonly RpcMethod<AddLeaseResourceRequest, Empty> AddLeaseResource = new(LeaseService, "AddResource");

    public static readonly RpcMethod<ApplyDiffRequest, ApplyDiffResponse> ApplyDiff = new("containerd.services.diff.v1.Diff", "Apply");

    public static readonly RpcMethod<PrepareSnapshotRequest, PrepareSnapshotResponse> PrepareSnapshot = new(SnapshotService, "Prepare");
    public static readonly RpcMethod<CommitSnapshotRequest, Empty> CommitSnapshot = new(SnapshotService, "Commit");
    public static readonly RpcMethod<RemoveSnapshotRequest, Empty> RemoveSnapshot = new(SnapshotService, "Remove");
    public static readonly RpcMethod<StatSnapshotRequest, StatSnapshotResponse> StatSnapshot = new(SnapshotService, "Stat");
    public static readonly RpcMethod<SnapshotUsageRequest, SnapshotUsageResponse> SnapshotUsage = new(SnapshotService, "Usage");
}
