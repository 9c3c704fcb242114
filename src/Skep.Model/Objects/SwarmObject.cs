using System.Text.Json.Serialization;

namespace Skep.Model.Objects;

/// <summary>What every object of the cluster has. Objects are values: a change makes a new one.</summary>
public abstract record SwarmObject
{
    public required string Id { get; init; }

    /// <summary>The store's revision of the last write of this object; not part of the stored value.</summary>
    [JsonIgnore]
    public ulong Version { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Names are unique per kind, whatever their case; null for kinds whose names are not.</summary>
    [JsonIgnore]
    public virtual string? UniqueName => null;

    [JsonIgnore]
    public abstract ObjectKind Kind { get; }
}

/// <summary>The kinds of objects; the numbers are not stored, the store's keys carry the name.</summary>
public enum ObjectKind
{
    Cluster,
    Node,
    Network,
    Service,
    Task,
}
