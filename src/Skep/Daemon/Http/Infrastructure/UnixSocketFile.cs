using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>The socket's place in the file system: root and one group may speak to the daemon, nobody else.</summary>
internal static partial class UnixSocketFile
{
    private const UnixFileMode OwnerAndGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Removes what a dead daemon left. A socket that somebody listens on is an error.</summary>
    public static void Clear(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (!File.Exists(path))
        {
            return;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            File.Delete(path);
            return;
        }

        throw new IOException($"Another daemon listens on {path}.");
    }

    public static void Protect(string path, string groupName)
    {
        if (GroupId(groupName) is { } group && ChangeOwner(path, uint.MaxValue, group) != 0)
        {
            throw new IOException($"Cannot give {path} to the group {groupName} (errno {Marshal.GetLastPInvokeError()}).");
        }

        if (OperatingSystem.IsLinux())
        {
            File.SetUnixFileMode(path, OwnerAndGroup);
        }
    }

    private static uint? GroupId(string name)
    {
        const string Groups = "/etc/group";
        var line = File.Exists(Groups) ? File.ReadLines(Groups).FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.Ordinal)) : null;
        return line?.Split(':') is [_, _, var id, ..] ? uint.Parse(id, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>chown(2); uint.MaxValue leaves the owner as it is.</summary>
    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint owner, uint group);
}
