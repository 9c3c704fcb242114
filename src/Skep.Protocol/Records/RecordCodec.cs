using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Skep.Model.Objects;

namespace Skep.Protocol.Records;

/// <summary>Objects to bytes and back.</summary>
public static class RecordCodec
{
    public static byte[] Encode(SwarmObject value) => value switch
    {
        SwarmTask task => Encode(task, RecordJson.Default.SwarmTask),
        SwarmService service => Encode(service, RecordJson.Default.SwarmService),
        SwarmNode node => Encode(node, RecordJson.Default.SwarmNode),
        SwarmNetwork network => Encode(network, RecordJson.Default.SwarmNetwork),
        SwarmCluster cluster => Encode(cluster, RecordJson.Default.SwarmCluster),
        _ => throw new ArgumentException($"No record form for {value.GetType().Name}.", nameof(value)),
    };

    /// <summary>Reads an object and gives it <paramref name="version"/>, the revision of its last write.</summary>
    public static SwarmObject Decode(ObjectKind kind, ReadOnlySpan<byte> bytes, ulong version) => kind switch
    {
        ObjectKind.Task => Decode(bytes, RecordJson.Default.SwarmTask) with { Version = version },
        ObjectKind.Service => Decode(bytes, RecordJson.Default.SwarmService) with { Version = version },
        ObjectKind.Node => Decode(bytes, RecordJson.Default.SwarmNode) with { Version = version },
        ObjectKind.Network => Decode(bytes, RecordJson.Default.SwarmNetwork) with { Version = version },
        ObjectKind.Cluster => Decode(bytes, RecordJson.Default.SwarmCluster) with { Version = version },
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No record form."),
    };

    public static byte[] Encode<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    public static T Decode<T>(ReadOnlySpan<byte> bytes, JsonTypeInfo<T> type)
        where T : class =>
        JsonSerializer.Deserialize(bytes, type) ?? throw new InvalidDataException($"A record of {typeof(T).Name} is null.");
}
