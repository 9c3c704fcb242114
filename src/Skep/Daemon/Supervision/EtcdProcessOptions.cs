namespace Skep.Daemon.Supervision;

/// <summary>What differs between one manager's etcd and another's.</summary>
public sealed record EtcdProcessOptions
{
    public string FileName { get; init; } = "etcd";

    /// <summary>The member's name: the node's id.</summary>
    public required string Name { get; init; }

    /// <summary>Holds the write-ahead log and the database.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Gets mode 0700: whoever reaches the socket in it can do anything.</summary>
    public required string RunFolder { get; init; }

    /// <summary>As peers reach this member: https://192.0.2.1:2380.</summary>
    public required string PeerUrl { get; init; }

    /// <summary>Where it listens for peers; the peer URL when null.</summary>
    public string? PeerListenUrl { get; init; }

    /// <summary>All members as NAME=URL,…; this one alone when null. Read at the first start only.</summary>
    public string? InitialCluster { get; init; }

    /// <summary>Joins members that run already, where this one was added before.</summary>
    public bool Joins { get; init; }

    /// <summary>Null where peers speak clear text.</summary>
    public EtcdPeerTls? PeerTls { get; init; }

    /// <summary>etcd listens on this unix socket. Its name has a port because etcd takes no socket URL without one.</summary>
    public string SocketPath => Path.Combine(RunFolder, "client:0");
}

/// <summary>Paths of PEM files.</summary>
public sealed record EtcdPeerTls(string CertificateFile, string KeyFile, string TrustedRootFile);
