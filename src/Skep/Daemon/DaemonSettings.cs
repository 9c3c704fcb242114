using System.Globalization;

namespace Skep.Daemon;

/// <summary>The names of all settings, once for flags, environment and file.</summary>
internal static class DaemonSettings
{
    public static IReadOnlyList<DaemonSetting> All { get; } =
    [
        One("data-root", "Folder of what outlives a restart [/var/lib/skep]", (o, v) => o with { DataRoot = v }),
        One("run-root", "Folder of what a reboot may lose [/run/skep]", (o, v) => o with { RunRoot = v }),
        One("socket", "Socket of the Engine API [/var/run/docker.sock]", (o, v) => o with { Socket = v }),
        One("socket-group", "Group that may use the socket, where it exists [docker]", (o, v) => o with { SocketGroup = v }),
        One("hostname", "The node's name in the swarm [the system's]", (o, v) => o with { Hostname = v }),
        Several("label", "Engine label, key=value", (o, v) => o with { Labels = v }),
        One("data-plane", "nftables or classic [nftables]", DataPlane),
        One("socket-balancing", "true or false: choose backends at the socket by eBPF where the kernel can [true]", SocketBalancing),
        One("log-level", "trace, debug, info, warn, error or none [info]", Level),
        One("containerd-socket", "Use the containerd at this socket instead of an own one", (o, v) => o with { ContainerdSocket = v }),
        One("containerd", "The containerd program [containerd]", (o, v) => o with { Containerd = v }),
        One("etcd", "The etcd program [etcd]", (o, v) => o with { Etcd = v }),
        Several("insecure-registry", "Registry or range that needs no certificate", (o, v) => o with { InsecureRegistries = v }),
        Several("default-address-pool", "Range for local networks, base=CIDR,size=BITS", Pools),
        Several("dns", "Server for names outside the swarm [those of /etc/resolv.conf]", (o, v) => o with { Dns = v }),
        One("shutdown-timeout", "Seconds that an orderly stop may take [15]", Timeout),
    ];

    private static DaemonSetting One(string name, string help, Func<DaemonOptions, string, DaemonOptions> set) =>
        One(name, help, (options, value) => (SettingResult)set(options, value));

    private static DaemonSetting One(string name, string help, Func<DaemonOptions, string, SettingResult> set) =>
        new(name, help, Many: false, (options, values) => set(options, values[^1]));

    private static DaemonSetting Several(string name, string help, Func<DaemonOptions, IReadOnlyList<string>, DaemonOptions> set) =>
        Several(name, help, (options, values) => (SettingResult)set(options, values));

    private static DaemonSetting Several(string name, string help, Func<DaemonOptions, IReadOnlyList<string>, SettingResult> set) =>
        new(name, help, Many: true, set);

    private static SettingResult DataPlane(DaemonOptions options, string value) => value switch
    {
        "nftables" => options with { DataPlane = Daemon.DataPlane.Nftables },
        "classic" => options with { DataPlane = Daemon.DataPlane.Classic },
        _ => SettingResult.Wrong($"is '{value}'; it can be nftables or classic"),
    };

    private static SettingResult SocketBalancing(DaemonOptions options, string value) => bool.TryParse(value, out var wanted)
        ? options with { SocketBalancing = wanted }
        : SettingResult.Wrong($"is '{value}'; it can be true or false");

    private static SettingResult Level(DaemonOptions options, string value) => value switch
    {
        "trace" => options with { LogLevel = LogLevel.Trace },
        "debug" => options with { LogLevel = LogLevel.Debug },
        "info" => options with { LogLevel = LogLevel.Information },
        "warn" => options with { LogLevel = LogLevel.Warning },
        "error" => options with { LogLevel = LogLevel.Error },
        "none" => options with { LogLevel = LogLevel.None },
        _ => SettingResult.Wrong($"is '{value}'; it can be trace, debug, info, warn, error or none"),
    };

    private static SettingResult Pools(DaemonOptions options, IReadOnlyList<string> values)
    {
        var pools = new List<AddressPool>();
        foreach (var value in values)
        {
            if (AddressPool.TryParse(value) is not { } pool)
            {
                return SettingResult.Wrong($"is '{value}'; it should look like base=10.20.0.0/16,size=24");
            }

            pools.Add(pool);
        }

        return options with { DefaultAddressPools = pools };
    }

    private static SettingResult Timeout(DaemonOptions options, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? options with { ShutdownTimeout = TimeSpan.FromSeconds(seconds) }
            : SettingResult.Wrong($"is '{value}'; it is a whole number of seconds");
}
