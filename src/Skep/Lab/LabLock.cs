using Microsoft.Win32.SafeHandles;
using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>One at a time: held while a lab's shape changes. The kernel lets go of it when its holder ends, however it ends.</summary>
internal sealed class LabLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private LabLock(SafeFileHandle file) => _file = file;

    /// <summary>Waits for its turn.</summary>
    public static async Task<LabLock> TakeAsync(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);

        // Opened past .NET, which puts a flock(2) of its own on every file and refuses instead of waiting.
        var descriptor = LibC.Open(path);
        if (descriptor < 0)
        {
            throw new ClusterException(ErrorKind.Internal, $"The lock {path} cannot be opened.");
        }

        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        if (!await Task.Run(() => LibC.Lock(descriptor)))
        {
            file.Dispose();
            throw new ClusterException(ErrorKind.Internal, $"The lock {path} cannot be taken.");
        }

        return new LabLock(file);
    }

    public void Dispose() => _file.Dispose();
}
