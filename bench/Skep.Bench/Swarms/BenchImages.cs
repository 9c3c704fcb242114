using System.Formats.Tar;
using System.Text;

namespace Skep.Bench.Swarms;

/// <summary>The two workloads: Debian's static busybox (sleeps, serves a page at 3000), and Debian's nginx with the libraries that it needs.</summary>
internal static class BenchImages
{
    public const string Busybox = "bench-busybox:latest";
    public const string Nginx = "bench-nginx:latest";

    /// <summary>A file of 1 MiB that the nginx serves.</summary>
    public const string Bulk = "bulk";

    private const UnixFileMode Executable = (UnixFileMode)0b111_101_101;

    private const string NginxConfiguration = """
        daemon off;
        worker_processes 2;
        error_log /dev/null;
        pid /tmp/nginx.pid;
        events { worker_connections 4096; }
        http {
          access_log off;
          keepalive_requests 1000000;
          server { listen 80 backlog=4096; root /www; }
        }
        """;

    public static async Task LoadAsync(BenchSwarm swarm, CancellationToken cancellationToken)
    {
        await LoadAsync(swarm, "bench-busybox", """CMD ["busybox","sleep","1000000"]""", await BusyboxAsync(cancellationToken), cancellationToken);
        if (Shell.Find("nginx") is { } nginx)
        {
            await LoadAsync(swarm, "bench-nginx", """CMD ["/usr/sbin/nginx"]""", await NginxAsync(nginx, cancellationToken), cancellationToken);
        }
    }

    private static async Task LoadAsync(BenchSwarm swarm, string name, string command, byte[] tar, CancellationToken cancellationToken)
    {
        var path = $"/images/create?fromSrc=-&repo={name}&tag=latest&changes={Uri.EscapeDataString(command)}";
        await Task.WhenAll(swarm.Nodes.Select(node => node.Api.PostTarAsync(path, tar, cancellationToken)));
    }

    private static Task<byte[]> BusyboxAsync(CancellationToken cancellationToken) => BuildAsync(
        async tar =>
        {
            var busybox = Shell.Find("busybox") ?? throw new BenchException("busybox is missing; it is in Debian's package busybox-static.");
            await FileAsync(tar, "bin/busybox", await File.ReadAllBytesAsync(busybox, cancellationToken), cancellationToken);
            foreach (var applet in new[] { "sh", "sleep", "httpd", "wget", "ip" })
            {
                await tar.WriteEntryAsync(
                    new UstarTarEntry(TarEntryType.SymbolicLink, "bin/" + applet) { LinkName = "busybox", Mode = Executable }, cancellationToken);
            }
        },
        cancellationToken);

    private static Task<byte[]> NginxAsync(string nginx, CancellationToken cancellationToken) => BuildAsync(
        async tar =>
        {
            await FileAsync(tar, "usr/sbin/nginx", await File.ReadAllBytesAsync(nginx, cancellationToken), cancellationToken);
            foreach (var library in await LibrariesAsync(nginx, cancellationToken))
            {
                await FileAsync(tar, library.TrimStart('/'), await File.ReadAllBytesAsync(library, cancellationToken), cancellationToken);
            }

            // Without the name service's libraries only these two files tell users; nginx looks for 'nobody' and 'nogroup'.
            await TextAsync("etc/passwd", "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n");
            await TextAsync("etc/group", "root:x:0:\nnogroup:x:65534:\n");
            await TextAsync("etc/nginx/nginx.conf", NginxConfiguration);
            await FileAsync(tar, "www/" + Bulk, new byte[1 << 20], cancellationToken);
            await TextAsync("var/lib/nginx/keep", "");
            await TextAsync("var/log/nginx/keep", "");

            Task TextAsync(string name, string text) => FileAsync(tar, name, Encoding.UTF8.GetBytes(text), cancellationToken);
        },
        cancellationToken);

    private static async Task<IEnumerable<string>> LibrariesAsync(string program, CancellationToken cancellationToken)
    {
        var listed = await Shell.RunAsync("ldd", [program], cancellationToken);
        return listed.Split('\n').SelectMany(line => line.Split(' ', '\t')).Where(word => word.StartsWith('/')).Distinct(StringComparer.Ordinal);
    }

    private static async Task<byte[]> BuildAsync(Func<TarWriter, Task> fill, CancellationToken cancellationToken)
    {
        var archive = new MemoryStream();
        await using (var tar = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var folder in new[] { "bin", "etc", "tmp", "proc", "sys", "dev", "run", "www" })
            {
                await tar.WriteEntryAsync(new UstarTarEntry(TarEntryType.Directory, folder + "/") { Mode = Executable }, cancellationToken);
            }

            await FileAsync(tar, "www/index.html", "ok\n"u8.ToArray(), cancellationToken);
            await fill(tar);
        }

        return archive.ToArray();
    }

    private static Task FileAsync(TarWriter tar, string name, byte[] data, CancellationToken cancellationToken) => tar.WriteEntryAsync(
        new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(data), Mode = Executable }, cancellationToken);
}
