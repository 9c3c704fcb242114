namespace Skep.Daemon.Swarm;

/// <summary>Where a member keeps what belongs to its swarm. Without a state file nothing in it counts.</summary>
internal sealed record SwarmFolder(string Path)
{
    public string State => System.IO.Path.Combine(Path, "state.json");
    public string Certificates => System.IO.Path.Combine(Path, "certificates");
    public string Etcd => System.IO.Path.Combine(Path, "etcd");

    /// <summary>The key that wraps what must not lie in the clear in the store.</summary>
    public string ManagerKey => System.IO.Path.Combine(Path, "manager.key");

    /// <summary>Removes everything; the state file first, so that a crash in between leaves no half of a member.</summary>
    public void Clear()
    {
        if (Directory.Exists(Path))
        {
            File.Delete(State);
            Directory.Delete(Path, recursive: true);
        }
    }

    public void Create() => Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
}
