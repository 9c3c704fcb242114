using Skep.Model.Objects;

namespace Skep.EngineApi;

/// <summary>The store's revision of an object's last write; updates name it.</summary>
public sealed record ObjectVersion(ulong Index)
{
    public static ObjectVersion Of(SwarmObject value) => new(value.Version);
}
