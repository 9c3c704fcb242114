using Skep.Model.Errors;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>What requests about containers have in common.</summary>
internal static class ContainerQuery
{
    /// <summary>An id, a unique prefix of one, or a name with or without its slash (which clients may escape).</summary>
    public static string Reference(this HttpContext context) => Uri.UnescapeDataString(context.Segment("name"));

    public static (uint Width, uint Height) ConsoleSize(this HttpContext context) => (Size(context, "w"), Size(context, "h"));

    private static uint Size(HttpContext context, string key) => context.Number(key) is >= 0 and <= ushort.MaxValue and var size
        ? (uint)size
        : throw ClusterException.Invalid($"invalid resize {(key == "w" ? "width" : "height")} \"{context.Text(key)}\": must be a number");
}
