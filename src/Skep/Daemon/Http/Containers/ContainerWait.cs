using Skep.Agent.Runtime;
using Skep.Daemon.Http.Infrastructure;
using Skep.EngineApi.Containers;
using Skep.Model.Errors;

namespace Skep.Daemon.Http.Containers;

/// <summary>POST /containers/{ref}/wait. The headers go out at once: clients start the container only when they have them.</summary>
internal static class ContainerWait
{
    public static async Task AnswerAsync(HttpContext context, IContainerRuntime runtime)
    {
        var condition = context.Text("condition") is { Length: > 0 } given ? given : "not-running";
        var awaited = condition switch
        {
            "not-running" => null,
            "next-exit" => "die",
            "removed" => "destroy",
            _ => throw ClusterException.Invalid($"invalid condition: \"{condition}\""),
        };
        var container = runtime.Find(context.Reference());
        var cancellationToken = context.RequestAborted;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // Events are followed from before the headers, so what the client does then cannot be missed.
        var ended = awaited is null
            ? EndedAsync(runtime, container, cancellationToken)
            : HappenedAsync(runtime, container, awaited, over.Token);
        var output = await context.BeginStreamAsync(JsonExchange.ContentType);
        try
        {
            var last = await ended;
            var error = last.Error.Length > 0 ? new WaitError(last.Error) : null;
            await output.WriteJsonLineAsync(new WaitAnswer(last.ExitCode, error), ContainerJson.Default.WaitAnswer, cancellationToken);
        }
        finally
        {
            await over.CancelAsync();
        }
    }

    private static async Task<ContainerSnapshot> EndedAsync(IContainerRuntime runtime, ContainerSnapshot container, CancellationToken cancellationToken) =>
        container.IsRunning() ? await runtime.WaitAsync(container.Id, cancellationToken) : container;

    private static async Task<ContainerSnapshot> HappenedAsync(
        IContainerRuntime runtime, ContainerSnapshot container, string action, CancellationToken cancellationToken)
    {
        var happenings = runtime.FollowAsync(cancellationToken);
        var end = EndedAsync(runtime, container, cancellationToken);
        await foreach (var happened in happenings)
        {
            if (happened.ContainerId == container.Id && happened.Action == action)
            {
                // What has ended or is gone has a last state; one that was started since then is asked anew.
                return container.IsRunning() || action == "destroy" ? await end : await runtime.WaitAsync(container.Id, cancellationToken);
            }
        }

        return container;
    }
}
