using System.Globalization;
using Skep.Agent.Runtime.Native;
using Skep.Agent.Volumes;
using Skep.Model.Errors;
using Skep.Model.Specs;

namespace Skep.Agent.Runtime.Spec;

/// <summary>Turns the mounts that a recipe asks for, and the volumes that its image declares, into entries of the mount table.</summary>
internal sealed class MountPlan(VolumeStore volumes)
{
    private readonly List<string> _anonymous = [];

    /// <summary>Names of the volumes that were made for this container alone and go with it.</summary>
    public IReadOnlyList<string> AnonymousVolumes => _anonymous;

    /// <summary>Image content is copied into volumes that are new; <paramref name="openImage"/> is asked only then.</summary>
    public IReadOnlyList<SpecMount> Resolve(ContainerRecipe recipe, ImageConfig image, Func<RootFileSystem> openImage)
    {
        var result = new Dictionary<string, SpecMount>(StringComparer.Ordinal);
        foreach (var mount in recipe.Mounts)
        {
            if (!mount.Target.StartsWith('/'))
            {
                throw ClusterException.Invalid($"invalid mount target, must be an absolute path in the container: {mount.Target}");
            }

            var target = Clean(mount.Target);
            var entry = mount.Type switch
            {
                "bind" => Bind(mount, target),
                "tmpfs" => Tmpfs(mount, target),
                "volume" => Volume(mount, target, openImage),
                _ => throw ClusterException.Invalid($"mount type unknown: \"{mount.Type}\""),
            };
            if (target == "/")
            {
                throw ClusterException.Invalid($"invalid mount config for type \"{mount.Type}\": invalid specification: destination can't be '/'");
            }

            if (!result.TryAdd(target, entry))
            {
                throw ClusterException.Invalid($"Duplicate mount point: {mount.Target}");
            }
        }

        foreach (var target in image.Volumes.Select(Clean).Where(t => !result.ContainsKey(t)))
        {
            result[target] = Volume(new Mount { Type = "volume", Target = target }, target, openImage);
        }

        return [.. result.Values];
    }

    private static SpecMount Bind(Mount mount, string target)
    {
        var source = mount.Source ?? "";
        if (!source.StartsWith('/'))
        {
            throw ClusterException.Invalid($"invalid mount config for type \"bind\": invalid mount path: '{source}' mount path must be absolute");
        }

        if (!Path.Exists(source))
        {
            if (mount.BindOptions?.CreateMountpoint != true)
            {
                throw ClusterException.Invalid($"invalid mount config for type \"bind\": bind source path does not exist: {source}");
            }

            Directory.CreateDirectory(source);
        }

        var kind = mount.BindOptions?.NonRecursive == true ? "bind" : "rbind";
        var propagation = mount.BindOptions?.Propagation is { Length: > 0 } given ? given : "rprivate";
        return new SpecMount(target, "bind", source, [kind, Access(mount), propagation]);
    }

    private static SpecMount Tmpfs(Mount mount, string target)
    {
        List<string> options = ["noexec", "nosuid", "nodev", Access(mount)];
        if (mount.TmpfsOptions?.SizeBytes is > 0)
        {
            options.Add(string.Create(CultureInfo.InvariantCulture, $"size={mount.TmpfsOptions.SizeBytes}"));
        }

        if (mount.TmpfsOptions?.Mode is > 0)
        {
            options.Add("mode=" + Convert.ToString(mount.TmpfsOptions.Mode.Value, 8));
        }

        return new SpecMount(target, "tmpfs", "tmpfs", options);
    }

    private SpecMount Volume(Mount mount, string target, Func<RootFileSystem> openImage)
    {
        var options = mount.VolumeOptions;
        if (options?.DriverConfig is { Name.Length: > 0 } driver && driver.Name != "local")
        {
            throw new ClusterException(ErrorKind.NotFound, $"error looking up volume plugin {driver.Name}: plugin \"{driver.Name}\" not found");
        }

        if (options?.DriverConfig?.Options is { Count: > 0 })
        {
            throw new ClusterException(ErrorKind.NotImplemented, "options of the local volume driver are not supported yet");
        }

        var (volume, created) = volumes.Ensure(mount.Source, options?.Labels);
        if (volume.Anonymous)
        {
            _anonymous.Add(volume.Name);
        }

        if (created && options?.NoCopy != true)
        {
            using var image = openImage();
            using var folder = image.OpenFolder(target);
            if (folder is not null)
            {
                FolderCopy.Copy(folder.Path, volume.Mountpoint);
            }
        }

        return new SpecMount(target, "bind", Within(volume.Mountpoint, options?.Subpath), ["rbind", Access(mount), "rprivate"]);
    }

    private static string Within(string root, string? subpath)
    {
        if (string.IsNullOrEmpty(subpath))
        {
            return root;
        }

        var path = Path.GetFullPath(Path.Combine(root, subpath));
        if (!path.StartsWith(root + "/", StringComparison.Ordinal) || HasLink(root, path))
        {
            throw ClusterException.Invalid($"invalid volume subpath {subpath}: it must stay inside the volume");
        }

        return Path.Exists(path) ? path : throw ClusterException.Invalid($"cannot access path {path}: no such file or directory");
    }

    private static bool HasLink(string root, string path)
    {
        for (var at = path; at.Length > root.Length; at = Path.GetDirectoryName(at)!)
        {
            if (new FileInfo(at).LinkTarget is not null)
            {
                return true;
            }
        }

        return false;
    }

    private static string Access(Mount mount) => mount.ReadOnly == true ? "ro" : "rw";

    private static string Clean(string target) => Path.GetFullPath(target) is { Length: > 1 } full ? full.TrimEnd('/') : "/";
}
