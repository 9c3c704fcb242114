using Skep.Daemon.Http.Infrastructure;

namespace Skep.Daemon.Http.Events;

internal static class EventFilter
{
    private static readonly string[] s_nouns = ["config", "container", "daemon", "image", "network", "node", "plugin", "secret", "service", "volume"];

    public static bool Matches(EngineEvent happened, Filters filters) =>
        filters.Any("type", type => type == happened.Type)
        && filters.Any("event", action => action == happened.Action || happened.Action.StartsWith(action + ":", StringComparison.Ordinal))
        && filters.Any("scope", scope => scope == happened.Scope)
        && filters.Labels("label", happened.Attributes)
        && s_nouns.All(noun => !filters.Has(noun) || (noun == happened.Type && filters.Any(noun, reference => IsActor(happened, reference))));

    private static bool IsActor(EngineEvent happened, string reference) =>
        happened.ActorId == reference
        || happened.Attributes.GetValueOrDefault("name") == reference
        || (reference.Length > 0 && happened.ActorId.StartsWith(reference, StringComparison.Ordinal))
        || (happened.Type == "image" && happened.ActorId.StartsWith("sha256:" + reference, StringComparison.Ordinal));
}
