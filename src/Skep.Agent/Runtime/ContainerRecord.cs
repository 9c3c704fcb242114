using System.Text.Json;
using System.Text.Json.Serialization;
using Skep.Agent.Runtime.Spec;

namespace Skep.Agent.Runtime;

/// <summary>What a container's folder says of it: enough to go on after the daemon was away.</summary>
internal sealed record ContainerRecord(ContainerSnapshot Snapshot, ProcessSettings Process, IReadOnlyList<string> AnonymousVolumes);

[JsonSourceGenerationOptions(WriteIndented = false)]
[JsonSerializable(typeof(ContainerRecord))]
internal sealed partial class ContainerJson : JsonSerializerContext;

/// <summary>The files of one container, <c>containers/&lt;id&gt;/</c>, readable by root only.</summary>
internal sealed class ContainerFolder(string root, string id)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode WorldReadable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public string Path { get; } = System.IO.Path.Combine(root, id);
    public string LogPath => System.IO.Path.Combine(Path, id + "-json.log");
    public string RecordPath => System.IO.Path.Combine(Path, "container.json");

    public void Create() => Directory.CreateDirectory(Path, OwnerOnly);

    /// <summary>A small file that is mounted into the container; returns its path.</summary>
    public string WriteText(string name, string text)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, WorldReadable);
        return path;
    }

    /// <summary>Whole or not at all: written beside, synced, then renamed.</summary>
    public void Write(ContainerRecord record)
    {
        var draft = RecordPath + ".new";
        using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            JsonSerializer.Serialize(file, record, ContainerJson.Default.ContainerRecord);
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, RecordPath, overwrite: true);
    }

    /// <summary>Null when the container was never wholly made.</summary>
    public ContainerRecord? Read() =>
        File.Exists(RecordPath) ? JsonSerializer.Deserialize(File.ReadAllBytes(RecordPath), ContainerJson.Default.ContainerRecord) : null;

    public void Delete()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
