namespace Skep.Lab;

/// <summary>One at a time: held while a lab's shape changes. The kernel lets go of it when its holder ends, however it ends.</summary>
internal sealed class LabLock : IDisposable
{
    private readonly FileStream _file;

    private LabLock(FileStream file) => _file = file;

    public static async Task<LabLock> TakeAsync(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);

        // FileShare.ReadWrite: .NET's own flock(2) for None would refuse instead of waiting.
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        await Task.Run(() => LibC.Lock((int)file.SafeFileHandle.DangerousGetHandle()));
        return new LabLock(file);
    }

    public void Dispose() => _file.Dispose();
}
