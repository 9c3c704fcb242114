using Skep.Daemon.Http.Absent;
using Skep.Daemon.Http.Containers;
using Skep.Daemon.Http.Engine;
using Skep.Daemon.Http.Events;
using Skep.Daemon.Http.Images;
using Skep.Daemon.Http.Net;
using Skep.Daemon.Http.Networks;
using Skep.Daemon.Http.Nodes;
using Skep.Daemon.Http.Services;
using Skep.Daemon.Http.Swarm;
using Skep.Daemon.Http.Tasks;

namespace Skep.Daemon.Http;

/// <summary>The table of contents: one line per noun.</summary>
internal static class EngineRoutes
{
    public static void MapEngine(this IEndpointRouteBuilder routes, EngineServices services)
    {
        var manager = new ManagerAccess(services.Swarm, services.Clock);
        routes.MapPing(services);
        routes.MapEngineInfo(services, manager);
        routes.MapEvents(services);
        routes.MapSwarm(services, manager);
        routes.MapNodes(manager);
        routes.MapServices(manager);
        routes.MapTasks(manager);
        routes.MapNetworks(services, manager);
        routes.MapNet(services);
        routes.MapImages(services);
        routes.MapContainers(services);
        routes.MapAbsent();
    }
}
