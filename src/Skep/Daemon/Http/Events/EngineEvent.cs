namespace Skep.Daemon.Http.Events;

/// <summary>Something that happened: Type is container, image, network, node, service, volume, daemon …; Action is Docker's word for it.</summary>
/// <param name="ActorId">The object's id.</param>
public sealed record EngineEvent(string Type, string Action, string ActorId, DateTimeOffset At)
{
    public const string Local = "local";
    public const string Swarm = "swarm";

    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>local for this engine's things, swarm for the cluster's.</summary>
    public string Scope { get; init; } = Local;
}
