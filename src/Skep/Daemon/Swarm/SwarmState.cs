using System.Text.Json;
using System.Text.Json.Serialization;
using Skep.Model.Errors;
using Skep.Protocol.Records;

namespace Skep.Daemon.Swarm;

/// <summary>What a node must remember of its swarm to find its way back after a restart; a file of its own.</summary>
internal sealed record SwarmState
{
    public string ListenAddress { get; init; } = "0.0.0.0:2377";

    /// <summary>Host only; on a worker it may be empty, then the managers take what they see.</summary>
    public string AdvertiseAddress { get; init; } = "";

    public string DataPathAddress { get; init; } = "";
    public bool IsManager { get; init; }

    /// <summary>Node id and host:port.</summary>
    public IReadOnlyList<ManagerPlace> Managers { get; init; } = [];

    /// <summary>Null when there is none.</summary>
    /// <exception cref="ClusterException">Internal: the file cannot be read.</exception>
    public static SwarmState? Load(string path)
    {
        try
        {
            return RecordFile.Read(path) is { } bytes ? JsonSerializer.Deserialize(bytes, SwarmStateJson.Default.SwarmState) : null;
        }
        catch (JsonException e)
        {
            throw new ClusterException(ErrorKind.Internal, $"{path} cannot be read ({e.Message}); leave the swarm with --force and join again", e);
        }
    }

    public void Save(string path) => RecordFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, SwarmStateJson.Default.SwarmState));
}

internal sealed record ManagerPlace(string NodeId, string Address);

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(SwarmState))]
internal sealed partial class SwarmStateJson : JsonSerializerContext;
