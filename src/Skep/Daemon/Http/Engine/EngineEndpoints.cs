using Skep.Agent.Images;
using Skep.Agent.Runtime;
using Skep.Daemon.Http.Infrastructure;
using Skep.Daemon.Http.Swarm;
using Skep.EngineApi.Engine;
using Skep.EngineApi.Json;

namespace Skep.Daemon.Http.Engine;

/// <summary>version, info, system/df.</summary>
internal static class EngineEndpoints
{
    public static void MapEngineInfo(this IEndpointRouteBuilder routes, EngineServices services, ManagerAccess manager)
    {
        routes.MapGet("/version", (RequestDelegate)(context => context.WriteJsonAsync(Version(services.Identity), EngineJson.Default.VersionAnswer)));
        routes.MapGet("/info", (RequestDelegate)(async context => await context.WriteJsonAsync(
            await InfoAsync(services, manager, context.RequestAborted), EngineJson.Default.InfoAnswer)));
        routes.MapGet("/system/df", (RequestDelegate)(async context => await context.WriteJsonAsync(
            await UsageAsync(services, context.RequestAborted), EngineJson.Default.DiskUsage)));
    }

    private static VersionAnswer Version(EngineIdentity engine)
    {
        var details = new Dictionary<string, string>
        {
            ["ApiVersion"] = ApiVersion.Newest.ToString(),
            ["Arch"] = HostFacts.GoArchitecture,
            ["Experimental"] = "false",
            ["KernelVersion"] = HostFacts.KernelVersion,
            ["MinAPIVersion"] = ApiVersion.Least.ToString(),
            ["Os"] = "linux",
        };
        return new VersionAnswer
        {
            Platform = new PlatformName("Skep"),
            Components =
            [
                new VersionComponent("Engine", engine.Version, details),
                new VersionComponent("containerd", engine.ContainerdVersion, new Dictionary<string, string>()),
                new VersionComponent("runc", engine.RuncVersion, new Dictionary<string, string>()),
            ],
            Version = engine.Version,
            ApiVersion = ApiVersion.Newest.ToString(),
            MinAPIVersion = ApiVersion.Least.ToString(),
            Arch = HostFacts.GoArchitecture,
            KernelVersion = HostFacts.KernelVersion,
        };
    }

    private static async Task<InfoAnswer> InfoAsync(EngineServices services, ManagerAccess manager, CancellationToken cancellationToken)
    {
        var containers = services.Containers.Containers;
        var images = await services.Images.ListAsync(cancellationToken);
        var engine = services.Identity;
        var running = containers.Count(c => c.State == ContainerState.Running);
        var paused = containers.Count(c => c.State == ContainerState.Paused);
        return new InfoAnswer
        {
            ID = engine.Id,
            Containers = containers.Count,
            ContainersRunning = running,
            ContainersPaused = paused,
            ContainersStopped = containers.Count - running - paused,
            Images = images.Count,
            Driver = engine.StorageDriver,
            Plugins = new PluginsInfo { Volume = ["local"], Network = ["overlay"], Log = ["json-file"] },
            MemoryLimit = true,
            CpuCfsPeriod = true,
            CpuCfsQuota = true,
            CPUShares = true,
            CPUSet = true,
            PidsLimit = true,
            SwapLimit = true,
            IPv4Forwarding = HostFacts.IPv4Forwarding,
            NFd = HostFacts.OpenFiles,
            NGoroutines = ThreadPool.ThreadCount,
            SystemTime = GoTimeConverter.Format(services.Clock.GetUtcNow()),
            CgroupDriver = engine.CgroupDriver,
            CgroupVersion = HostFacts.CgroupVersion,
            KernelVersion = HostFacts.KernelVersion,
            OperatingSystem = HostFacts.OperatingSystem,
            OSVersion = HostFacts.OSVersion,
            Architecture = HostFacts.Machine,
            RegistryConfig = new RegistryInfo
            {
                InsecureRegistryCIDRs = [.. engine.InsecureRegistries.Where(r => r.Contains('/', StringComparison.Ordinal)), "127.0.0.0/8"],
                IndexConfigs = engine.InsecureRegistries.Where(r => !r.Contains('/', StringComparison.Ordinal))
                    .ToDictionary(r => r, r => new IndexInfo(r, [], Secure: false, Official: false), StringComparer.Ordinal),
            },
            NCPU = Environment.ProcessorCount,
            MemTotal = HostFacts.TotalMemory,
            DockerRootDir = engine.DataRoot,
            Name = engine.Hostname,
            Labels = engine.Labels,
            ServerVersion = engine.Version,
            Swarm = SwarmInfoOf.Build(services.Swarm, manager),
            ContainerdCommit = new CommitInfo(engine.ContainerdVersion),
            RuncCommit = new CommitInfo(engine.RuncVersion),
            SecurityOptions = engine.SecurityOptions,
        };
    }

    private static async Task<DiskUsage> UsageAsync(EngineServices services, CancellationToken cancellationToken)
    {
        var images = await services.Images.ListAsync(cancellationToken);
        var containers = services.Containers.Containers;
        return new DiskUsage
        {
            LayersSize = images.Sum(i => i.Size),
            Images = [.. images.Select(i => Usage(i, containers.Count(c => c.ImageId == i.Id)))],
            Containers = [.. containers.Select(Usage)],
        };
    }

    private static ImageUsage Usage(LocalImage image, int containers) =>
        new(image.Id, image.Tags, image.RepoDigests, image.Size, SharedSize: 0, containers)
        {
            Created = image.Configuration.ValueKind == System.Text.Json.JsonValueKind.Object
                && image.Configuration.TryGetProperty("created", out var created) && created.TryGetDateTimeOffset(out var moment)
                ? moment.ToUnixTimeSeconds()
                : 0,
        };

    private static ContainerUsage Usage(ContainerSnapshot container)
    {
        var state = container.State.ToString().ToLowerInvariant();
        return new ContainerUsage(container.Id, ["/" + container.Recipe.Name], container.Recipe.Image, container.ImageId, state, state)
        {
            Command = string.Join(' ', container.CommandLine),
            Created = container.CreatedAt.ToUnixTimeSeconds(),
            Labels = container.Config.Labels,
        };
    }
}
