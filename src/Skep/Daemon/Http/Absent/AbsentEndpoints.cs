using Skep.Daemon.Http.Infrastructure;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Absent;

/// <summary>
/// What this version does not do, said in a sentence. Lists of things that cannot exist yet are truly empty, and looking for one is
/// truly "not found": <c>docker inspect</c> and <c>docker stack rm</c> walk through these.
/// </summary>
internal static class AbsentEndpoints
{
    public static void MapAbsent(this IEndpointRouteBuilder routes)
    {
        Objects(routes, "secrets", "secret");
        Objects(routes, "configs", "config");
        Plugins(routes);
        Volumes(routes);
        Refuse(routes, "POST", "/build", "This version does not build images.");
        Refuse(routes, "POST", "/session", "This version does not build images.");
        Refuse(routes, "POST", "/auth", "This version does not check credentials; they are used when an image is pulled.");
        Refuse(routes, "GET", "/images/search", "This version does not search registries.");
        Refuse(routes, "POST", "/images/{name}/push", "This version does not push images.");
        routes.MapPost("/build/prune", (RequestDelegate)(context => TextAsync(context, """{"CachesDeleted":null,"SpaceReclaimed":0}""")));
    }

    private static void Objects(IEndpointRouteBuilder routes, string noun, string word)
    {
        routes.MapGet($"/{noun}", s_emptyList);
        routes.MapGet($"/{noun}/{{name}}", (RequestDelegate)(context => throw ClusterException.NotFound(word, context.Segment("name"))));
        routes.MapDelete($"/{noun}/{{name}}", (RequestDelegate)(context => throw ClusterException.NotFound(word, context.Segment("name"))));
        Refuse(routes, "POST", $"/{noun}/create", $"This version has no {noun}.");
        Refuse(routes, "POST", $"/{noun}/{{name}}/update", $"This version has no {noun}.");
    }

    private static void Plugins(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/plugins", s_emptyList);
        routes.MapGet(
            "/plugins/{name}/json",
            (RequestDelegate)(context => throw new ClusterException(ErrorKind.NotFound, $"plugin \"{context.Segment("name")}\" not found")));
    }

    private static void Volumes(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/volumes", (RequestDelegate)(context => TextAsync(context, """{"Volumes":[],"Warnings":null}""")));
        routes.MapGet(
            "/volumes/{name}",
            (RequestDelegate)(context => throw new ClusterException(ErrorKind.NotFound, $"get {context.Segment("name")}: no such volume")));
        Refuse(routes, "POST", "/volumes/create", "This version does not manage volumes by name; a service's mounts make theirs.");
        Refuse(routes, "POST", "/volumes/prune", "This version does not manage volumes by name.");
        Refuse(routes, "DELETE", "/volumes/{name}", "This version does not manage volumes by name.");
    }

    private static readonly RequestDelegate s_emptyList = context => TextAsync(context, "[]");

    private static void Refuse(IEndpointRouteBuilder routes, string method, string path, string sentence) =>
        routes.MapMethods(path, [method], (RequestDelegate)(_ => throw new ClusterException(ErrorKind.NotImplemented, sentence)));

    private static Task TextAsync(HttpContext context, string json)
    {
        context.Response.ContentType = JsonExchange.ContentType;
        var body = System.Text.Encoding.UTF8.GetBytes(json + "\n");
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
