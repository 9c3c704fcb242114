namespace Skep.Network.Probes;

/// <summary>
/// The nodes that did not answer, in the node's state folder: a daemon that starts again sends their backends nothing before they do. Losing
/// the file costs the patience with a peer that was never heard.
/// </summary>
internal sealed class SilenceMemory(string folder)
{
    private readonly string _path = Path.Combine(folder, "silent.txt");
    private readonly Lock _gate = new();

    public IReadOnlyList<string> Read()
    {
        try
        {
            return File.Exists(_path) ? File.ReadAllLines(_path) : [];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>Writes what is true when its turn comes: of two changes at once the later one has the last word.</summary>
    public void Write(Func<IEnumerable<string>> silent)
    {
        lock (_gate)
        {
            try
            {
                Directory.CreateDirectory(folder);
                File.WriteAllLines(_path + ".new", silent().Order(StringComparer.Ordinal));
                File.Move(_path + ".new", _path, overwrite: true);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // A full disk; the next change is written again.
            }
        }
    }

    public void Delete() => File.Delete(_path);
}
