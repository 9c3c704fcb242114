using System.Globalization;

namespace Skep.Agent.Runtime;

/// <summary>The configuration of the containerd that belongs to the daemon (config version 2, containerd 1.6 and newer).</summary>
public sealed record ContainerdConfig
{
    public required string Root { get; init; }
    public required string State { get; init; }
    public required string Socket { get; init; }

    /// <summary>Under memory pressure the kernel takes containers before containerd.</summary>
    public int OomScore { get; init; } = -500;

    /// <summary>Left out, because nothing of ours uses them and each costs memory and start-up time.</summary>
    public IReadOnlyList<string> DisabledPlugins { get; init; } =
    [
        "io.containerd.grpc.v1.cri",
        "io.containerd.snapshotter.v1.aufs",
        "io.containerd.snapshotter.v1.btrfs",
        "io.containerd.snapshotter.v1.devmapper",
        "io.containerd.snapshotter.v1.native",
        "io.containerd.snapshotter.v1.zfs",
        "io.containerd.internal.v1.opt",
        "io.containerd.internal.v1.restart",
        "io.containerd.tracing.processor.v1.otlp",
        "io.containerd.internal.v1.tracing",
    ];

    /// <summary>The file's text.</summary>
    public string Render() => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        version = 2
        root = {Quote(Root)}
        state = {Quote(State)}
        oom_score = {OomScore}
        disabled_plugins = [{string.Join(", ", DisabledPlugins.Select(Quote))}]

        [grpc]
          address = {Quote(Socket)}
          uid = 0
          gid = 0

        [ttrpc]
          address = {Quote(Socket + ".ttrpc")}

        [debug]
          level = "warn"

        [plugins]
          [plugins."io.containerd.gc.v1.scheduler"]
            startup_delay = "10s"

        """);

    /// <summary>Makes the folders (0700, so that the socket inside is root's alone) and writes the file to <paramref name="path"/>.</summary>
    public void Write(string path)
    {
        foreach (var folder in new[] { Root, State, Path.GetDirectoryName(Socket)!, Path.GetDirectoryName(path)! })
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        File.WriteAllText(path, Render());
    }

    private static string Quote(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
