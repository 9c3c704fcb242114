using System.Collections.Concurrent;
using System.Text;
using Skep.Agent.Images;
using Skep.Agent.Logs;
using Skep.Agent.Runtime.Native;
using Skep.Agent.Runtime.Spec;
using Skep.Model.Errors;

namespace Skep.Agent.Runtime;

/// <summary>
/// Makes a container: a writable snapshot over its image, its folder and containerd's object with the spec, at the same time as
/// far as they allow. Whatever fails takes the rest back.
/// </summary>
internal sealed class ContainerMaker(RuntimeParts parts)
{
    private const string InitTarget = "/sbin/docker-init";

    // An image's layers never change, so its users are read once.
    private readonly ConcurrentDictionary<string, UserDatabase> _users = new(StringComparer.Ordinal);

    public async Task<Container> MakeAsync(ContainerRecipe recipe, LocalImage image, CancellationToken cancellationToken)
    {
        var declared = ImageConfig.Read(image.Configuration);
        var config = ConfigMerge.Merge(recipe, declared);
        var command = Check(recipe, config);
        var folder = new ContainerFolder(parts.ContainersRoot, recipe.Id);
        var preparing = parts.Client.PrepareAsync(recipe.Id, image.ChainId, CancellationToken.None);
        IReadOnlyList<string> anonymous = [];
        try
        {
            folder.Create();
            RootFileSystem? root = null;
            try
            {
                var users = _users.GetValueOrDefault(image.ChainId);
                var plan = new MountPlan(parts.Volumes);
                if (users is null || declared.Volumes.Count > 0 || recipe.Mounts.Any(m => m.Type == "volume"))
                {
                    root = RootFileSystem.OfSnapshot(await preparing, ScratchFolder());
                    users ??= _users[image.ChainId] = root.ReadUsers();
                }

                var mounts = plan.Resolve(recipe, declared, () => root!);
                anonymous = plan.AnonymousVolumes;
                var process = users.Resolve(config.User, recipe.Groups, Process(recipe, config));
                var snapshot = new ContainerSnapshot(recipe)
                {
                    State = ContainerState.Created,
                    CreatedAt = parts.Clock.GetUtcNow(),
                    ImageId = image.Id,
                    CommandLine = command,
                    Config = config,
                    LogPath = LogOptions.Parse(recipe.LogDriver).Kept ? folder.LogPath : "",
                };
                var spec = OciSpec.Write(Input(recipe, config, command, process, [.. OwnFiles(recipe, config, folder), .. mounts]));
                root?.Dispose();
                root = null;
                await Task.WhenAll(
                    preparing,
                    parts.Client.CreateContainerAsync(recipe.Id, recipe.Image, spec, CancellationToken.None),
                    Task.Run(() => folder.Write(new ContainerRecord(snapshot, process, anonymous)), CancellationToken.None));
                var container = new Container(parts, new ContainerRecord(snapshot, process, anonymous)) { RootMounts = await preparing };
                container.Output?.Open();
                return container;
            }
            finally
            {
                root?.Dispose();
            }
        }
        catch (Exception error)
        {
            await TakeBackAsync(recipe.Id, folder, anonymous, preparing);
            throw error is Rpc.RpcException rpc ? new ClusterException(ErrorKind.Internal, $"the container cannot be made: {rpc.Message}", rpc) : error;
        }
    }

    private IReadOnlyList<string> Check(ContainerRecipe recipe, EffectiveConfig config)
    {
        _ = LogOptions.Parse(recipe.LogDriver);
        if (config.StopSignal.Length > 0)
        {
            _ = Signals.Parse(config.StopSignal);
        }

        if (config.WorkingDir.Length > 0 && !config.WorkingDir.StartsWith('/'))
        {
            throw ClusterException.Invalid($"the working directory '{config.WorkingDir}' is invalid, it needs to be an absolute path");
        }

        var command = ConfigMerge.CommandLine(config);
        if (!recipe.Init)
        {
            return command;
        }

        return File.Exists(parts.Options.InitPath)
            ? [InitTarget, "--", .. command]
            : throw new ClusterException(ErrorKind.FailedPrecondition, $"an init was asked for, but there is none at {parts.Options.InitPath}; Debian's package tini has it");
    }

    private static ProcessSettings Process(ContainerRecipe recipe, EffectiveConfig config) => new()
    {
        Env = ConfigMerge.ProcessEnv(config, recipe.Tty),
        WorkingDir = config.WorkingDir.Length > 0 ? config.WorkingDir : "/",
        Capabilities = Capabilities.Resolve(recipe.CapabilityAdd, recipe.CapabilityDrop),
        Ulimits = recipe.Ulimits,
        NoNewPrivileges = recipe.NoNewPrivileges,
        OomScoreAdj = recipe.OomScoreAdj,
        Tty = recipe.Tty,
    };

    private OciSpecInput Input(
        ContainerRecipe recipe, EffectiveConfig config, IReadOnlyList<string> command, ProcessSettings process, IReadOnlyList<SpecMount> mounts)
    {
        var sysctls = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            // As Docker: low ports and ping need no capability in a network namespace of one's own.
            ["net.ipv4.ip_unprivileged_port_start"] = "0",
            ["net.ipv4.ping_group_range"] = "0 2147483647",
        };
        foreach (var (key, value) in recipe.Sysctls)
        {
            sysctls[key] = value;
        }

        return new OciSpecInput
        {
            Id = recipe.Id,
            CommandLine = command,
            Process = process,
            Hostname = config.Hostname,
            ReadOnlyRoot = recipe.ReadOnlyRoot,
            Mounts = mounts,
            Limits = recipe.Limits,
            Sysctls = sysctls,
            NetworkNamespace = recipe.NetworkNamespace,
            Seccomp = SeccompProfile.Resolve(recipe.Seccomp, process.Capabilities),
            CgroupParent = parts.Options.CgroupParent,
            Cgroup = parts.Cgroup,
        };
    }

    private List<SpecMount> OwnFiles(ContainerRecipe recipe, EffectiveConfig config, ContainerFolder folder)
    {
        var hosts = new StringBuilder(
            """
            127.0.0.1	localhost
            ::1	localhost ip6-localhost ip6-loopback
            fe00::	ip6-localnet
            ff00::	ip6-mcastprefix
            ff02::1	ip6-allnodes
            ff02::2	ip6-allrouters

            """);
        foreach (var line in recipe.Hosts)
        {
            hosts.Append(line).Append('\n');
        }

        string[] access = recipe.ReadOnlyRoot ? ["rbind", "rprivate", "ro"] : ["rbind", "rprivate"];
        List<SpecMount> mounts =
        [
            new("/etc/hosts", "bind", folder.WriteText("hosts", hosts.ToString()), access),
            new("/etc/hostname", "bind", folder.WriteText("hostname", config.Hostname + "\n"), access),
            new("/etc/resolv.conf", "bind", folder.WriteText("resolv.conf", recipe.ResolvConf ?? ""), access),
        ];
        if (recipe.Init)
        {
            mounts.Add(new SpecMount(InitTarget, "bind", parts.Options.InitPath, ["bind", "ro"]));
        }

        // A mount of the user's at one of these places wins.
        return [.. mounts.Where(m => recipe.Mounts.All(u => u.Target.TrimEnd('/') != m.Destination))];
    }

    private string ScratchFolder() => Directory.CreateDirectory(Path.Combine(parts.Options.RunRoot, "look")).FullName;

    private async Task TakeBackAsync(string id, ContainerFolder folder, IReadOnlyList<string> anonymous, Task preparing)
    {
        try
        {
            await preparing.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            await parts.Client.DeleteContainerAsync(id, CancellationToken.None);
            await parts.Client.RemoveSnapshotAsync(id, CancellationToken.None);
            folder.Delete();
            foreach (var volume in anonymous)
            {
                parts.Volumes.Remove(volume);
            }
        }
        catch (Exception error) when (error is Rpc.RpcException or ClusterException or IOException)
        {
            parts.Logger.NotCleaned(id, error.Message);
        }
    }
}
