namespace Skep.Model.Objects;

/// <summary>The keys of the encrypted networks as the managers keep them. One key is sent with; more than one only while they change.</summary>
public sealed record ClusterKeyring
{
    /// <summary>The oldest first.</summary>
    public IReadOnlyList<ClusterKey> Keys { get; init; } = [];

    /// <summary>The id of the key to send with.</summary>
    public string Sending { get; init; } = "";

    /// <summary>When the last step was taken: a key added, sent with, or dropped.</summary>
    public DateTimeOffset ChangedAt { get; init; }
}

/// <summary>WrappedSecret: 32 bytes, wrapped with the cluster's key; opened only on managers.</summary>
public sealed record ClusterKey(string Id, byte[] WrappedSecret, DateTimeOffset MadeAt);
