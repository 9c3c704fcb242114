using System.Formats.Tar;
using System.Text;
using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>
/// A root file system of Debian's static busybox with a web server in it: <c>/cgi-bin/whoami</c> tells the container's host name,
/// <c>/cgi-bin/client</c> whose address it sees. Each request is logged.
/// </summary>
internal static class DemoImage
{
    public const string Name = "skep-demo";

    /// <summary>The image's command, as an instruction of <c>docker import --change</c>.</summary>
    public const string Command = """CMD ["busybox","httpd","-f","-v","-p","3000","-h","/www"]""";

    private const UnixFileMode Executable = (UnixFileMode)0b111_101_101;
    private static readonly string[] s_places = ["/usr/bin/busybox", "/bin/busybox"];
    private static readonly string[] s_folders = ["bin", "etc", "tmp", "proc", "sys", "dev", "www", "www/cgi-bin"];

    /// <summary>The image as a tar archive, ready for <c>POST /images/create?fromSrc=-</c>.</summary>
    public static async Task<MemoryStream> BuildAsync(CancellationToken cancellationToken)
    {
        var busybox = s_places.FirstOrDefault(File.Exists)
            ?? throw new ClusterException(ErrorKind.FailedPrecondition, "busybox is missing; it is in Debian's package busybox-static.");
        var applets = await Tool.RunAsync(busybox, ["--list"], "", cancellationToken);
        var archive = new MemoryStream();
        await using (var tar = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var folder in s_folders)
            {
                await tar.WriteEntryAsync(new UstarTarEntry(TarEntryType.Directory, folder + "/") { Mode = Executable }, cancellationToken);
            }

            await using (var program = File.OpenRead(busybox))
            {
                await tar.WriteEntryAsync(Entry("bin/busybox", program), cancellationToken);
            }

            foreach (var applet in applets.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(applet => applet != "busybox"))
            {
                await tar.WriteEntryAsync(
                    new UstarTarEntry(TarEntryType.SymbolicLink, "bin/" + applet) { LinkName = "busybox", Mode = Executable }, cancellationToken);
            }

            await WriteAsync("www/index.html", "ok\n");
            await WriteAsync("www/cgi-bin/whoami", "#!/bin/sh\necho; hostname; echo \"$(hostname) served\" >/proc/1/fd/1\n");
            await WriteAsync("www/cgi-bin/client", "#!/bin/sh\necho; echo \"$REMOTE_ADDR\"\n");

            Task WriteAsync(string name, string text) =>
                tar.WriteEntryAsync(Entry(name, new MemoryStream(Encoding.UTF8.GetBytes(text))), cancellationToken);
        }

        archive.Position = 0;
        return archive;

        static UstarTarEntry Entry(string name, Stream data) => new(TarEntryType.RegularFile, name) { DataStream = data, Mode = Executable };
    }
}
