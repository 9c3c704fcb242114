using System.Text;
using Skep.Kernel.Namespaces;

namespace Skep.Kernel.Sysctl;

/// <summary>Settings below /proc/sys as a namespace sees them (sysctl(8)).</summary>
public static class SysctlFile
{
    /// <summary>
    /// Sets <paramref name="key"/>, written with dots (<c>net.ipv4.ip_forward</c>) or, for links with a dot in their name, with
    /// slashes (<c>net/ipv4/conf/eth0.1/rp_filter</c>).
    /// </summary>
    /// <exception cref="IOException">There is no such setting, or the kernel refuses the value.</exception>
    public static void Set(NetworkNamespace ns, string key, string value)
    {
        var path = PathOf(key);

        // Which namespace's settings /proc/sys/net shows depends on the thread that opens the file, not on the mount.
        ns.Run(() =>
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            file.Write(Encoding.ASCII.GetBytes(value));
        });
    }

    /// <summary>The value without its line end.</summary>
    /// <exception cref="IOException">There is no such setting.</exception>
    public static string Get(NetworkNamespace ns, string key)
    {
        var path = PathOf(key);
        return ns.Run(() => Read(path)).TrimEnd('\n');
    }

    // Settings are read some times a second; a reader of text takes kilobytes for each.
    private static string Read(string path)
    {
        const int usual = 256;
        Span<byte> value = stackalloc byte[usual];
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var length = RandomAccess.Read(file, value, 0);
        return length < usual ? Encoding.ASCII.GetString(value[..length]) : File.ReadAllText(path);
    }

    /// <summary>The values of several, by one visit of the namespace; null where there is no such setting.</summary>
    public static IReadOnlyList<string?> Get(NetworkNamespace ns, IReadOnlyList<string> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var paths = keys.Select(PathOf).ToList();
        return ns.Run(() => paths.ConvertAll(TryRead));

        static string? TryRead(string path)
        {
            try
            {
                return Read(path).TrimEnd('\n');
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    internal static string PathOf(string key)
    {
        var path = key.Contains('/') ? key : key.Replace('.', '/');
        return path.Split('/').Any(part => part is "" or "." or "..")
            ? throw new ArgumentException($"'{key}' is not the name of a setting.", nameof(key))
            : $"/proc/sys/{path}";
    }
}
