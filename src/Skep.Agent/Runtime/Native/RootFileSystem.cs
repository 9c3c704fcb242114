using System.Text;
using Microsoft.Win32.SafeHandles;
using Skep.Agent.Runtime.Spec;

namespace Skep.Agent.Runtime.Native;

/// <summary>
/// A look into a container's files without starting it. Paths are resolved as the container would resolve them: no symbolic
/// link leads out of it.
/// </summary>
internal sealed class RootFileSystem : IDisposable
{
    private const int ReadLimit = 4 * 1024 * 1024;
    private readonly SafeFileHandle _root;

    private RootFileSystem(SafeFileHandle root) => _root = root;

    /// <summary>Mounts a snapshot read-only at a place that is forgotten again at once; the open descriptor keeps it.</summary>
    public static RootFileSystem OfSnapshot(IReadOnlyList<Protocol.Containerd.Mount> mounts, string scratch)
    {
        if (mounts is [{ Type: "bind" } bind])
        {
            return new RootFileSystem(Posix.Open(bind.Source, Posix.PathOnly | Posix.Directory));
        }

        var mount = mounts[0];
        var place = Directory.CreateDirectory(Path.Combine(scratch, Path.GetRandomFileName())).FullName;
        try
        {
            Posix.Mount(mount.Source, place, mount.Type, Posix.MountReadOnly, string.Join(',', mount.Options.Where(o => o is not "ro" and not "rw")));
            try
            {
                return new RootFileSystem(Posix.Open(place, Posix.PathOnly | Posix.Directory));
            }
            finally
            {
                Posix.UnmountLazily(place);
            }
        }
        finally
        {
            Directory.Delete(place);
        }
    }

    public static RootFileSystem OfProcess(int pid) => new(Posix.Open($"/proc/{pid}/root", Posix.PathOnly | Posix.Directory));

    public UserDatabase ReadUsers() => new(ReadText("/etc/passwd"), ReadText("/etc/group"));

    /// <summary>A path that reaches the folder through its descriptor; null when there is no such folder.</summary>
    public OpenedFolder? OpenFolder(string path)
    {
        var folder = Posix.OpenInRoot(_root, path, Posix.PathOnly | Posix.Directory);
        return folder is null ? null : new OpenedFolder(folder);
    }

    public void Dispose() => _root.Dispose();

    private string ReadText(string path)
    {
        using var file = Posix.OpenInRoot(_root, path, Posix.ReadOnly | Posix.NonBlock);
        if (file is null)
        {
            return "";
        }

        var length = (int)Math.Min(RandomAccess.GetLength(file), ReadLimit);
        var bytes = new byte[length];
        var count = RandomAccess.Read(file, bytes, 0);
        return Encoding.UTF8.GetString(bytes, 0, count);
    }
}

internal sealed class OpenedFolder(SafeFileHandle folder) : IDisposable
{
    public string Path => $"/proc/self/fd/{folder.DangerousGetHandle()}/.";
    public void Dispose() => folder.Dispose();
}
