using Skep.Agent.Images.Manifests;

namespace Skep.Agent.Images;

/// <summary>What a registry has under a name: the manifest or index that the name points at, and the platforms there.</summary>
public sealed record DistributionInfo(Descriptor Descriptor, IReadOnlyList<ImagePlatform> Platforms);
