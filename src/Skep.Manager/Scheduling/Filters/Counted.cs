namespace Skep.Manager.Scheduling.Filters;

internal static class Counted
{
    public static string Nodes(int count) => count == 1 ? "1 node" : $"{count} nodes";
}
