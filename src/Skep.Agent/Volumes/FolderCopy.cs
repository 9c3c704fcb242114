using Skep.Agent.Runtime.Native;

namespace Skep.Agent.Volumes;

/// <summary>
/// Fills a new volume with what the image has at its place, with owners, modes and times; symbolic links stay links. Extended
/// attributes and devices are left out.
/// </summary>
internal static class FolderCopy
{
    private const int ModeBits = 0xFFF;

    public static void Copy(string source, string target)
    {
        CopyAttributes(source, target);
        foreach (var entry in new DirectoryInfo(source).EnumerateFileSystemInfos())
        {
            var to = Path.Combine(target, entry.Name);
            if (entry.LinkTarget is { } link)
            {
                File.CreateSymbolicLink(to, link);
                var (user, group, _) = Posix.Status(entry.FullName);
                Posix.ChangeOwner(to, user, group);
            }
            else if (entry is DirectoryInfo)
            {
                Directory.CreateDirectory(to);
                Copy(entry.FullName, to);
            }
            else if (IsRegular(entry.FullName))
            {
                File.Copy(entry.FullName, to);
                CopyAttributes(entry.FullName, to);
            }
        }

        Directory.SetLastWriteTimeUtc(target, Directory.GetLastWriteTimeUtc(source));
    }

    private static bool IsRegular(string path) => (Posix.Status(path).Mode & 0xF000) == 0x8000;

    private static void CopyAttributes(string source, string target)
    {
        var (user, group, mode) = Posix.Status(source);
        Posix.ChangeOwner(target, user, group);
        File.SetUnixFileMode(target, (UnixFileMode)(mode & ModeBits));
    }
}
