using Skep.Daemon.Http.Infrastructure;
using Skep.EngineApi.Events;

namespace Skep.Daemon.Http.Events;

/// <summary>What happened lately and what happens from now on, one JSON object per line.</summary>
internal static class EventsEndpoint
{
    public static void MapEvents(this IEndpointRouteBuilder routes, EngineServices services) =>
        routes.MapGet("/events", (RequestDelegate)(context => FollowAsync(context, services)));

    private static async Task FollowAsync(HttpContext context, EngineServices services)
    {
        var filters = Filters.Of(
            context, "config", "container", "daemon", "event", "image", "label", "network", "node", "plugin", "scope", "secret", "service", "type", "volume");
        var (since, until) = (context.Moment("since"), context.Moment("until"));
        var (past, following) = services.Events.SnapshotAndFollow();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var output = await context.BeginStreamAsync(JsonExchange.ContentType);
        foreach (var happened in since is null ? [] : past.Where(e => e.At >= since && (until is null || e.At <= until) && EventFilter.Matches(e, filters)))
        {
            await output.WriteJsonLineAsync(Message(happened), EventJson.Default.EventMessage, context.RequestAborted);
        }

        using var timer = StopAt(until, end, services.Clock);
        try
        {
            await foreach (var happened in following.WithCancellation(end.Token))
            {
                if (EventFilter.Matches(happened, filters))
                {
                    await output.WriteJsonLineAsync(Message(happened), EventJson.Default.EventMessage, context.RequestAborted);
                }
            }
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            // "until" has come.
        }
    }

    private static ITimer? StopAt(DateTimeOffset? until, CancellationTokenSource end, TimeProvider clock)
    {
        if (until is not { } moment)
        {
            return null;
        }

        var left = moment - clock.GetUtcNow();
        if (left <= TimeSpan.Zero)
        {
            end.Cancel();
            return null;
        }

        var longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1);
        return clock.CreateTimer(_ => end.Cancel(), null, left < longest ? left : longest, Timeout.InfiniteTimeSpan);
    }

    private static EventMessage Message(EngineEvent happened)
    {
        var old = happened.Type is "container" or "image";
        var nanoseconds = Timestamps.UnixNanoseconds(happened.At);
        return new EventMessage
        {
            Status = old ? happened.Action : null,
            Id = old ? happened.ActorId : null,
            From = happened.Type == "container" ? happened.Attributes.GetValueOrDefault("image") : null,
            Type = happened.Type,
            Action = happened.Action,
            Actor = new EventActor(happened.ActorId, happened.Attributes),
            Scope = happened.Scope,
            Time = happened.At.ToUnixTimeSeconds(),
            TimeNano = nanoseconds,
        };
    }
}
