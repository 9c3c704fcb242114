using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Skep.Model.Errors;

namespace Skep.Agent.Volumes;

/// <summary>A named folder that containers share and that outlives them.</summary>
public sealed record LocalVolume(string Name)
{
    /// <summary>The folder that is mounted.</summary>
    public string Mountpoint { get; init; } = "";

    public DateTimeOffset CreatedAt { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public bool Anonymous { get; init; }
}

[JsonSerializable(typeof(LocalVolume))]
internal sealed partial class VolumeJson : JsonSerializerContext;

/// <summary>The local volume driver: <c>volumes/&lt;name&gt;/_data</c> with volume.json beside it.</summary>
public sealed partial class VolumeStore(string dataRoot, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly string _root = Path.Combine(dataRoot, "volumes");

    public IReadOnlyList<LocalVolume> List()
    {
        lock (_gate)
        {
            return Directory.Exists(_root)
                ? [.. Directory.EnumerateDirectories(_root).Select(d => Read(Path.GetFileName(d))).OfType<LocalVolume>().OrderBy(v => v.Name, StringComparer.Ordinal)]
                : [];
        }
    }

    public LocalVolume? Find(string name)
    {
        lock (_gate)
        {
            return NamePattern().IsMatch(name) ? Read(name) : null;
        }
    }

    /// <summary>Makes the volume; one of that name that exists is returned as it is, and <c>Created</c> says which.</summary>
    public (LocalVolume Volume, bool Created) Ensure(string? name, IReadOnlyDictionary<string, string>? labels)
    {
        var anonymous = string.IsNullOrEmpty(name);
        name = anonymous ? RandomNumberGenerator.GetHexString(64, lowercase: true) : name!;
        if (!NamePattern().IsMatch(name))
        {
            throw ClusterException.Invalid(
                $"create {name}: \"{name}\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path");
        }

        lock (_gate)
        {
            if (Read(name) is { } there)
            {
                return (there, false);
            }

            var folder = Path.Combine(_root, name);
            var volume = new LocalVolume(name)
            {
                Mountpoint = Path.Combine(folder, "_data"),
                CreatedAt = clock.GetUtcNow(),
                Labels = labels ?? new Dictionary<string, string>(),
                Anonymous = anonymous,
            };
            Directory.CreateDirectory(_root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
            Directory.CreateDirectory(volume.Mountpoint, (UnixFileMode)0b111_101_101);
            var draft = Path.Combine(folder, "volume.json.new");
            File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes(volume, VolumeJson.Default.LocalVolume));
            File.Move(draft, Path.Combine(folder, "volume.json"), overwrite: true);
            return (volume, true);
        }
    }

    /// <summary>Removes it with all it holds; false when there is none. Whether somebody uses it is the caller's to know.</summary>
    public bool Remove(string name)
    {
        lock (_gate)
        {
            if (!NamePattern().IsMatch(name) || Read(name) is null)
            {
                return false;
            }

            Directory.Delete(Path.Combine(_root, name), recursive: true);
            return true;
        }
    }

    private LocalVolume? Read(string name)
    {
        var file = Path.Combine(_root, name, "volume.json");
        return File.Exists(file) ? JsonSerializer.Deserialize(File.ReadAllBytes(file), VolumeJson.Default.LocalVolume) : null;
    }

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]*$")]
    private static partial Regex NamePattern();
}
