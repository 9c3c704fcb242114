using Skep.Agent.Runtime;
using Skep.Daemon.Http.Infrastructure;
using Skep.EngineApi.Containers;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Exec;

/// <summary>Commands inside containers: made, started (with the connection as their streams), asked after.</summary>
internal static class ExecEndpoints
{
    public static void MapExec(this IEndpointRouteBuilder routes, IContainerRuntime runtime)
    {
        routes.MapPost("/containers/{name}/exec", (RequestDelegate)(context => CreateAsync(context, runtime)));
        routes.MapPost("/exec/{id}/start", (RequestDelegate)(context => StartAsync(context, runtime)));
        routes.MapPost("/exec/{id}/resize", (RequestDelegate)(async context =>
        {
            var exec = runtime.FindExec(context.Segment("id"));
            var (width, height) = context.ConsoleSize();
            await exec.ResizeAsync(width, height, context.RequestAborted);
            await context.WriteEmptyAsync();
        }));
        routes.MapGet("/exec/{id}/json", (RequestDelegate)(context =>
            context.WriteJsonAsync(Shape(runtime.FindExec(context.Segment("id"))), ContainerJson.Default.ExecInspect)));
    }

    private static async Task CreateAsync(HttpContext context, IContainerRuntime runtime)
    {
        var request = await context.ReadJsonAsync(ContainerJson.Default.ExecCreateRequest);
        if (request.Cmd is not { Count: > 0 } command)
        {
            throw ClusterException.Invalid("No exec command specified");
        }

        var container = runtime.Find(context.Reference());
        if (container.State == ContainerState.Paused)
        {
            throw new ClusterException(ErrorKind.Conflict, $"container {container.Id} is paused, unpause the container before exec");
        }

        var exec = runtime.CreateExec(container.Id, new ExecRecipe
        {
            Command = command,
            Env = request.Env ?? [],
            User = NullIfEmpty(request.User),
            WorkingDir = NullIfEmpty(request.WorkingDir),
            Tty = request.Tty,
            Privileged = request.Privileged,
            AttachStdin = request.AttachStdin,
            AttachStdout = request.AttachStdout,
            AttachStderr = request.AttachStderr,
        });
        await context.WriteJsonAsync(new ExecCreateAnswer(exec.Id), ContainerJson.Default.ExecCreateAnswer, StatusCodes.Status201Created);
    }

    private static async Task StartAsync(HttpContext context, IContainerRuntime runtime)
    {
        var exec = runtime.FindExec(context.Segment("id"));
        var request = await context.ReadOptionalJsonAsync(ContainerJson.Default.ExecStartRequest) ?? new ExecStartRequest();

        // Started before the connection is taken over, so that a refusal still has a status; and started to the end even when the
        // client leaves now, or nobody would ever know how it went.
        var session = new ExecSession(exec, await exec.StartAsync(CancellationToken.None));
        if (request.ConsoleSize is [var height, var width] && exec.Recipe.Tty && height > 0 && width > 0)
        {
            await session.ResizeAsync(width, height);
        }

        if (request.Detach)
        {
            session.Discard();
            await context.WriteEmptyAsync();
            return;
        }

        var framed = !exec.Recipe.Tty;
        try
        {
            await context.HijackAsync(
                FrameWriter.ContentTypeFor(context.ApiVersion(), framed), (stream, cancellationToken) => session.RunAsync(stream, framed, cancellationToken));
        }
        finally
        {
            // What the command goes on writing for a client that left must not stop it.
            session.Discard();
        }
    }

    private static ExecInspect Shape(IExec exec) => new(
        exec.Id,
        exec.Running,
        exec.ExitCode,
        new ExecProcess(exec.Recipe.Tty, exec.Recipe.Command[0], [.. exec.Recipe.Command.Skip(1)], exec.Recipe.Privileged) { User = exec.Recipe.User })
    {
        OpenStdin = exec.Recipe.AttachStdin,
        OpenStdout = exec.Recipe.AttachStdout,
        OpenStderr = exec.Recipe.AttachStderr,
        ContainerID = exec.ContainerId,
        Pid = exec.Pid,
    };

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
