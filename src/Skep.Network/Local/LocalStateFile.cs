using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Skep.Model.Plans;

namespace Skep.Network.Local;

/// <summary>
/// Three files in the node's state folder: its own choices, written before they are used, the plan that the kernel held last,
/// by which a daemon that finds no manager still knows what is right, and what has left balancing since that was written.
/// </summary>
internal sealed class LocalStateFile(string folder)
{
    private readonly string _choices = Path.Combine(folder, "network.json");
    private readonly string _plan = Path.Combine(folder, "network-plan.json");
    private readonly string _drained = Path.Combine(folder, "network-drained.json");

    public LocalState Read() => Read(_choices, NetworkJson.Default.LocalState) ?? new LocalState();

    public NodePlan? ReadPlan() => Read(_plan, NetworkJson.Default.NodePlan);

    public ImmutableArray<DrainedEndpoint> ReadDrained() => Read(_drained, NetworkJson.Default.DrainedEndpoints) is { Entries.IsDefault: false } drained ? drained.Entries : [];

    public void Write(LocalState state) => Write(_choices, state, NetworkJson.Default.LocalState);

    public void Write(NodePlan plan) => Write(_plan, plan, NetworkJson.Default.NodePlan);

    public void Write(DrainedEndpoints drained) => Write(_drained, drained, NetworkJson.Default.DrainedEndpoints);

    public void Delete()
    {
        if (Directory.Exists(folder))
        {
            File.Delete(_choices);
            File.Delete(_plan);
            File.Delete(_drained);
        }
    }

    // A half-written file cannot be seen: the new one is renamed over the old.
    private void Write<T>(string path, T value, JsonTypeInfo<T> type)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(value, type));
        File.Move(path + ".new", path, overwrite: true);
    }

    // A machine that lost power can leave a file without its content; choices are then made anew.
    private static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), type) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LocalState))]
[JsonSerializable(typeof(NodePlan))]
[JsonSerializable(typeof(DrainedEndpoints))]
internal sealed partial class NetworkJson : JsonSerializerContext;
