namespace Skep.Model.Specs;

public sealed record NodeSpec
{
    public const string Worker = "worker";
    public const string Manager = "manager";
    public const string Active = "active";
    public const string Pause = "pause";
    public const string Drain = "drain";

    public string? Name { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init; } = EmptyMap.Strings;

    /// <summary>worker or manager.</summary>
    public string Role { get; init; } = Worker;

    /// <summary>active, pause or drain.</summary>
    public string Availability { get; init; } = Active;
}
