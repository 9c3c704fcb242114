using Skep.Agent.Runtime;
using Skep.EngineApi.Containers;
using Skep.Model.Specs;

namespace Skep.Daemon.Http.Containers;

/// <summary>What is mounted into a container, as <c>docker inspect</c> lists it.</summary>
internal static class MountPoints
{
    public static IReadOnlyList<MountPoint> Of(ContainerRecipe recipe, string dataRoot) => [.. recipe.Mounts.Select(m => Of(m, dataRoot))];

    private static MountPoint Of(Mount mount, string dataRoot)
    {
        var writable = mount.ReadOnly != true;
        return mount.Type switch
        {
            "bind" => new("bind", mount.Source ?? "", mount.Target, "", writable, mount.BindOptions?.Propagation ?? "rprivate"),
            "volume" when mount.Source is { Length: > 0 } name => new("volume", Path.Combine(dataRoot, "volumes", name, "_data"), mount.Target, "z", writable, "")
            {
                Name = name,
                Driver = "local",
            },
            "volume" => new("volume", "", mount.Target, "z", writable, "") { Driver = "local" },
            var type => new(type, "", mount.Target, "", writable, ""),
        };
    }
}
