using System.Text.Json.Serialization;

namespace Skep.EngineApi.Images;

[JsonSerializable(typeof(ImageSummary[]))]
[JsonSerializable(typeof(ImageInspect))]
[JsonSerializable(typeof(ImageHistoryStep[]))]
[JsonSerializable(typeof(DistributionInspect))]
[JsonSerializable(typeof(RegistryAuth))]
public sealed partial class ImagesJson : JsonSerializerContext;

/// <summary>Shapes whose empty members are left out.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImageDeletion[]))]
[JsonSerializable(typeof(ImagesPruned))]
public sealed partial class ImageDeletionsJson : JsonSerializerContext;
