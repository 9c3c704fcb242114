using Skep.Agent.Runtime;
using Skep.Daemon.Http.Infrastructure;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Containers;

/// <summary>What this version does not do with containers, said in a sentence. A container that does not exist is told first.</summary>
internal static class ContainerRefusals
{
    public static void MapContainerRefusals(this IEndpointRouteBuilder routes, IContainerRuntime runtime)
    {
        routes.MapPost("/containers/create", (RequestDelegate)(_ => throw NotDone("This version runs containers for services only; create a service instead.")));
        Refuse("POST", "rename", "This version does not rename containers: their names are their tasks'.");
        Refuse("POST", "update", "This version does not change a container's resources; update its service instead.");
        Refuse("POST", "pause", "This version does not pause containers.");
        Refuse("POST", "unpause", "This version does not pause containers.");
        Refuse("GET", "changes", "This version does not compare a container's files with its image.");
        Refuse("GET", "export", "This version does not export a container's files.");
        Refuse("HEAD", "archive", "This version does not copy files into or out of containers.");
        Refuse("GET", "archive", "This version does not copy files into or out of containers.");
        Refuse("PUT", "archive", "This version does not copy files into or out of containers.");
        Refuse("GET", "attach/ws", "This version does not attach over WebSockets.");
        routes.MapPost("/commit", (RequestDelegate)(_ => throw NotDone("This version does not make images from containers.")));

        void Refuse(string method, string verb, string sentence) =>
            routes.MapMethods($"/containers/{{name}}/{verb}", [method], (RequestDelegate)(context =>
            {
                runtime.Find(context.Reference());
                throw NotDone(sentence);
            }));
    }

    private static ClusterException NotDone(string sentence) => new(ErrorKind.NotImplemented, sentence);
}
