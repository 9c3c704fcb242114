using System.Formats.Tar;
using System.Text;
using System.Text.RegularExpressions;
using Skep.Lab;

namespace Skep.EndToEndTests.Swarm.Draining;

/// <summary>A root file system with Debian's nginx: port 80 answers HTTP and keeps connections, port 5353 answers each datagram with the host name.</summary>
internal static partial class NginxImage
{
    public const string Name = "nginx-drain";
    public const string Command = """CMD ["/usr/sbin/nginx","-c","/etc/nginx.conf"]""";

    private const string Module = "/usr/lib/nginx/modules/ngx_stream_module.so";
    private const UnixFileMode Executable = (UnixFileMode)0b111_101_101;

    private const string Configuration = $$"""
        load_module {{Module}};
        daemon off;
        worker_processes 1;
        user root;
        pid /tmp/nginx.pid;
        error_log /dev/stderr;
        events { worker_connections 2048; }
        http {
            access_log off;
            client_body_temp_path /tmp/1; proxy_temp_path /tmp/2; fastcgi_temp_path /tmp/3; uwsgi_temp_path /tmp/4; scgi_temp_path /tmp/5;
            keepalive_requests 1000000;
            keepalive_timeout 300s;
            server { listen 80 backlog=1024; location / { return 200 "$hostname\n"; } }
        }
        stream { server { listen 5353 udp; return "$hostname\n"; } }

        """;

    /// <summary>Makes the image on each of the three machines.</summary>
    public static async Task EverywhereAsync(SwarmLab lab)
    {
        using var image = await BuildAsync(TestContext.Current.CancellationToken);
        foreach (var node in Enumerable.Range(1, 3))
        {
            await lab.ImportAsync(node, Name, image, Command);
        }
    }

    private static async Task<MemoryStream> BuildAsync(CancellationToken cancellationToken)
    {
        Assert.True(File.Exists(Module), $"{Module} is missing; ./skep test installs Debian's packages nginx-light and libnginx-mod-stream");
        var libraries = Library().Matches(
            await Tool.RunAsync("ldd", ["/usr/sbin/nginx"], "", cancellationToken) + await Tool.RunAsync("ldd", [Module], "", cancellationToken));
        var archive = new MemoryStream();
        await using (var tar = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var file in libraries.Select(l => l.Groups[1].Value).Append("/usr/sbin/nginx").Append(Module).Distinct(StringComparer.Ordinal))
            {
                await using var content = File.OpenRead(file);
                await tar.WriteEntryAsync(new UstarTarEntry(TarEntryType.RegularFile, file[1..]) { DataStream = content, Mode = Executable }, cancellationToken);
            }

            foreach (var (name, text) in new[] { ("etc/nginx.conf", Configuration), ("etc/passwd", "root:x:0:0:root:/:/bin/sh\n"), ("etc/group", "root:x:0:\n") })
            {
                await tar.WriteEntryAsync(
                    new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)), Mode = Executable }, cancellationToken);
            }

            foreach (var folder in new[] { "tmp/", "var/log/nginx/", "var/lib/nginx/", "proc/", "sys/", "dev/" })
            {
                await tar.WriteEntryAsync(new UstarTarEntry(TarEntryType.Directory, folder) { Mode = Executable }, cancellationToken);
            }
        }

        archive.Position = 0;
        return archive;
    }

    // "libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x…)" and "/lib64/ld-linux-x86-64.so.2 (0x…)".
    [GeneratedRegex(@"(/\S+) \(0x")]
    private static partial Regex Library();
}
