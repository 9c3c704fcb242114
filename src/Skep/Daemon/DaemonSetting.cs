namespace Skep.Daemon;

/// <summary>One thing that can be set: <c>--name</c>, <c>SKEP_NAME</c> and <c>"name"</c> in the file all mean the same.</summary>
/// <param name="Many">May be given more than once (in the file: an array; in the environment: separated by spaces).</param>
/// <param name="Apply">Gives the options with the values set, or the sentence that says what is wrong with them.</param>
internal sealed record DaemonSetting(string Name, string Help, bool Many, Func<DaemonOptions, IReadOnlyList<string>, SettingResult> Apply)
{
    public string Flag => "--" + Name;

    public string Variable => "SKEP_" + Name.Replace('-', '_').ToUpperInvariant();
}

internal readonly record struct SettingResult(DaemonOptions? Options, string? Problem)
{
    public static implicit operator SettingResult(DaemonOptions options) => new(options, null);

    public static SettingResult Wrong(string problem) => new(null, problem);
}
