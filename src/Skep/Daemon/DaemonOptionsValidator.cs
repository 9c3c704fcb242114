using System.Net;
using System.Net.Sockets;

namespace Skep.Daemon;

/// <summary>The rules of <see cref="DaemonOptions"/>, wherever the values came from.</summary>
internal static class DaemonOptionsValidator
{
    // sun_path of unix(7): 108 bytes with the closing zero. Sockets below the run root have names of up to 40 more.
    private const int LongestSocketPath = 107;
    private const int LongestRunRoot = 64;

    /// <summary>Every problem, each a sentence that names the setting and its value.</summary>
    public static IReadOnlyList<string> Check(DaemonOptions options)
    {
        var problems = new List<string>();
        Path("data-root", options.DataRoot, int.MaxValue);
        Path("run-root", options.RunRoot, LongestRunRoot);
        Path("socket", options.Socket, LongestSocketPath);
        if (options.ContainerdSocket is { } containerd)
        {
            Path("containerd-socket", containerd, LongestSocketPath);
        }

        if (options.Hostname is { } hostname && Uri.CheckHostName(hostname) != UriHostNameType.Dns)
        {
            problems.Add($"hostname is '{hostname}'; it may have letters, digits, hyphens and dots.");
        }

        foreach (var label in options.Labels.Where(label => label.IndexOf('=') is -1 or 0))
        {
            problems.Add($"label is '{label}'; it should look like key=value.");
        }

        foreach (var server in options.Dns.Where(server => !IPAddress.TryParse(server, out _)))
        {
            problems.Add($"dns is '{server}'; it is an IP address.");
        }

        foreach (var registry in options.InsecureRegistries.Where(registry => !IsRegistry(registry)))
        {
            problems.Add($"insecure-registry is '{registry}'; it is a host, host:port or a range such as 10.0.0.0/8.");
        }

        CheckPools(options.DefaultAddressPools, problems);
        if (options.ShutdownTimeout < TimeSpan.FromSeconds(1) || options.ShutdownTimeout > TimeSpan.FromMinutes(10))
        {
            problems.Add($"shutdown-timeout is {options.ShutdownTimeout.TotalSeconds:0}; it can be 1 to 600 seconds.");
        }

        return problems;

        void Path(string name, string value, int longest)
        {
            if (!value.StartsWith('/'))
            {
                problems.Add($"{name} is '{value}'; it must be an absolute path.");
            }
            else if (value.Length > longest)
            {
                problems.Add($"{name} is {value.Length} characters long; the kernel's sockets allow {longest} here.");
            }
        }
    }

    private static void CheckPools(IReadOnlyList<AddressPool> pools, List<string> problems)
    {
        for (var i = 0; i < pools.Count; i++)
        {
            var pool = pools[i];
            var longest = pool.Base.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 30 : 126;
            if (pool.Size < pool.Base.PrefixLength || pool.Size > longest)
            {
                problems.Add($"default-address-pool is '{pool}'; its size can be {pool.Base.PrefixLength} to {longest}.");
            }

            foreach (var other in pools.Take(i).Where(other => other.Base.Contains(pool.Base.BaseAddress) || pool.Base.Contains(other.Base.BaseAddress)))
            {
                problems.Add($"default-address-pool is '{pool}'; it overlaps '{other}'.");
            }
        }
    }

    private static bool IsRegistry(string text) =>
        IPNetwork.TryParse(text, out _)
        || (text.Length > 0 && Uri.TryCreate("http://" + text, UriKind.Absolute, out var uri) && uri.Authority.Length > 0
            && text.IndexOfAny(['/', '@', '?', '#', ' ']) < 0);
}
