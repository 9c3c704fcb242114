using System.Globalization;
using Skep.Agent.Runtime;
using Skep.EngineApi.Containers;
using Skep.Network;

namespace Skep.Daemon.Http.Containers;

/// <summary>Containers as the Engine API shows them.</summary>
internal sealed class ContainerShapes(INodeNetwork network, EngineIdentity engine, TimeProvider clock)
{
    private const string DefaultLogDriver = "json-file";
    private const long ShmBytes = 64 << 20;
    private static readonly Dictionary<string, string> s_noOptions = [];

    public ContainerSummary Summary(ContainerSnapshot container)
    {
        var sandbox = network.FindSandbox(container.Id);
        return new(
            container.Id,
            ["/" + container.Recipe.Name],
            container.Recipe.Image,
            container.ImageId,
            string.Join(' ', container.CommandLine.Select((word, index) => index > 0 && word.Contains(' ', StringComparison.Ordinal) ? $"'{word}'" : word)),
            container.CreatedAt.ToUnixTimeSeconds())
        {
            Ports = NetworkShapes.Ports(container, sandbox),
            Labels = container.Labels(),
            State = container.StateWord(),
            Status = container.StatusText(clock.GetUtcNow()),
            NetworkSettings = new SummaryNetworks(NetworkShapes.Endpoints(container, sandbox)),
            Mounts = MountPoints.Of(container.Recipe, engine.DataRoot),
        };
    }

    public ContainerInspect Inspect(ContainerSnapshot container) => new(
        container.Id, container.CreatedAt, container.CommandLine.FirstOrDefault(""), [.. container.CommandLine.Skip(1)])
    {
        State = State(container),
        Image = container.ImageId,
        LogPath = container.LogPath,
        Name = "/" + container.Recipe.Name,
        Driver = engine.StorageDriver,
        HostConfig = HostConfig(container.Recipe),
        Mounts = MountPoints.Of(container.Recipe, engine.DataRoot),
        Config = Config(container),
        NetworkSettings = NetworkShapes.Settings(container, network.FindSandbox(container.Id)),
    };

    private static ContainerStateShape State(ContainerSnapshot container) =>
        new(container.StateWord(), container.IsRunning() ? container.Pid : 0, container.ExitCode, container.Error)
        {
            Running = container.IsRunning(),
            Paused = container.State == ContainerState.Paused,
            OOMKilled = container.OomKilled,
            Dead = container.State == ContainerState.Dead,
            StartedAt = container.StartedAt ?? default,
            FinishedAt = container.FinishedAt ?? default,
            Health = container.Health is { } health
                ? new HealthShape(health.Status, health.FailingStreak, [.. health.Log.Select(p => new HealthProbeShape(p.Start, p.End, p.ExitCode, p.Output))])
                : null,
        };

    private static ContainerConfigShape Config(ContainerSnapshot container) => new()
    {
        Hostname = container.Config.Hostname,
        User = container.Config.User,
        ExposedPorts = container.Config.ExposedPorts.Count == 0 ? null : container.Config.ExposedPorts.Distinct().ToDictionary(p => p, _ => EmptyObject.Value),
        Tty = container.Recipe.Tty,
        OpenStdin = container.Recipe.OpenStdin,
        Env = container.Config.Env,
        Cmd = container.Config.Command,
        Healthcheck = container.Config.Healthcheck,
        Image = container.Recipe.Image,
        WorkingDir = container.Config.WorkingDir,
        Entrypoint = container.Config.Entrypoint,
        Labels = container.Labels(),
        StopSignal = container.Config.StopSignal is { Length: > 0 } signal ? signal : null,
    };

    private static HostConfigShape HostConfig(ContainerRecipe recipe) => new()
    {
        LogConfig = new LogConfigShape(
            recipe.LogDriver?.Name is { Length: > 0 } driver ? driver : DefaultLogDriver, recipe.LogDriver?.Options ?? s_noOptions),
        CapAdd = NullIfEmpty(recipe.CapabilityAdd),
        CapDrop = NullIfEmpty(recipe.CapabilityDrop),
        ExtraHosts = NullIfEmpty(recipe.Hosts),
        GroupAdd = NullIfEmpty(recipe.Groups),
        OomScoreAdj = recipe.OomScoreAdj ?? 0,
        ReadonlyRootfs = recipe.ReadOnlyRoot,
        SecurityOpt = SecurityOptions(recipe),
        ShmSize = ShmBytes,
        Sysctls = recipe.Sysctls.Count == 0 ? null : recipe.Sysctls,
        Memory = recipe.Limits?.MemoryBytes ?? 0,
        NanoCpus = recipe.Limits?.NanoCPUs ?? 0,
        PidsLimit = recipe.Limits?.Pids is > 0 and var pids ? pids : null,
        Ulimits = recipe.Ulimits,
        Mounts = recipe.Mounts.Count == 0 ? null : recipe.Mounts,
        Init = recipe.Init,
    };

    private static List<string>? SecurityOptions(ContainerRecipe recipe)
    {
        var options = new List<string>();
        if (recipe.NoNewPrivileges)
        {
            options.Add("no-new-privileges");
        }

        if (recipe.Seccomp?.Mode is { Length: > 0 } mode && mode != "default")
        {
            options.Add(string.Create(CultureInfo.InvariantCulture, $"seccomp={mode}"));
        }

        return options.Count == 0 ? null : options;
    }

    private static IReadOnlyList<string>? NullIfEmpty(IReadOnlyList<string> list) => list.Count == 0 ? null : list;
}
