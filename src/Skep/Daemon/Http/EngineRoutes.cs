using Skep.Daemon.Http.Absent;
using Skep.Daemon.Http.Engine;

namespace Skep.Daemon.Http;

/// <summary>The table of contents: one line per noun.</summary>
internal static class EngineRoutes
{
    public static void MapEngine(this IEndpointRouteBuilder routes, EngineServices services)
    {
        routes.MapPing(services);
        routes.MapAbsent();
    }
}
