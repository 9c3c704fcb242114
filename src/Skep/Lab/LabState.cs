using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>What cannot be told from a lab's name: its size, its subnet and where its data is.</summary>
/// <param name="Subnet">The K of 10.77.K.0/24.</param>
/// <param name="DaemonCommand">What to run as the daemon; empty is this very program's <c>daemon</c>.</param>
/// <param name="Kept">The lab was taken down with --keep: the next one of that name takes the data over.</param>
internal sealed record LabState(int Nodes, int Subnet, string Data, IReadOnlyList<string> DaemonCommand, bool Kept)
{
    /// <summary>The host's own address on the lab's bridge.</summary>
    [JsonIgnore]
    public string Gateway => $"10.77.{Subnet}.254";

    /// <summary>The host's interface into the lab.</summary>
    [JsonIgnore]
    public string HostLink => $"skl{Subnet}";

    public string AddressOf(int node) => $"10.77.{Subnet}.{node}";

    /// <summary>The machine's IPv6 address (unique local, RFC 4193); the host is ::fe.</summary>
    public string Address6Of(int node) => string.Create(CultureInfo.InvariantCulture, $"fd4c:6162:{Subnet:x}::{node:x}");

    /// <summary>Null when there is no such lab.</summary>
    public static LabState? Read(LabPlace place)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(place.StateFile), LabStateJson.Default.LabState);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            // A file that was cut off in the middle is a leftover like any other: the lab is taken down by its name.
            return null;
        }
    }

    public static LabState Require(LabPlace place) =>
        Read(place) ?? throw new ClusterException(ErrorKind.NotFound, $"There is no lab '{place.Name}'. Make one with: ./skep lab up --name {place.Name}");

    public void Write(LabPlace place)
    {
        Directory.CreateDirectory(place.Folder);
        File.WriteAllText(place.StateFile + ".new", JsonSerializer.Serialize(this, LabStateJson.Default.LabState));
        File.Move(place.StateFile + ".new", place.StateFile, overwrite: true);
    }
}

[JsonSerializable(typeof(LabState))]
internal sealed partial class LabStateJson : JsonSerializerContext;
