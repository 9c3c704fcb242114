using Skep.Model.Objects;

namespace Skep.Manager.Store;

/// <summary>The word for a kind, as it stands in the store's keys and in sentences.</summary>
public static class ObjectKindNames
{
    public static string Word(this ObjectKind kind) => kind switch
    {
        ObjectKind.Cluster => "cluster",
        ObjectKind.Node => "node",
        ObjectKind.Network => "network",
        ObjectKind.Service => "service",
        ObjectKind.Task => "task",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown kind."),
    };
}
