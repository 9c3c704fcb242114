using System.Text.Json;
using Skep.Model.Errors;

namespace Skep.Daemon;

/// <summary>Brings file, environment and flags together, in that order, and reports every problem of all three at once.</summary>
internal static class DaemonConfiguration
{
    public const string DefaultFile = "/etc/skep/daemon.json";

    /// <param name="file">The configuration file's text; null when there is none.</param>
    /// <param name="fileName">What to call the file in a problem's sentence.</param>
    /// <param name="environment">Looks a variable up; null when it is not set.</param>
    /// <param name="flags">Values given on the command line, by setting name.</param>
    /// <exception cref="ClusterException">InvalidArgument, one problem per line.</exception>
    public static DaemonOptions Load(
        string? file, string fileName, Func<string, string?> environment, IReadOnlyDictionary<string, IReadOnlyList<string>> flags)
    {
        var problems = new List<string>();
        var fromFile = file is null ? [] : ReadFile(file, fileName, problems);
        var options = new DaemonOptions();
        foreach (var setting in DaemonSettings.All)
        {
            if (fromFile.TryGetValue(setting.Name, out var values))
            {
                options = Apply(options, setting, values, $"{fileName}: {setting.Name}", problems);
            }

            if (environment(setting.Variable) is { Length: > 0 } variable)
            {
                string[] words = setting.Many ? variable.Split(' ', StringSplitOptions.RemoveEmptyEntries) : [variable];
                options = Apply(options, setting, words, setting.Variable, problems);
            }

            if (flags.TryGetValue(setting.Name, out var given) && given.Count > 0)
            {
                options = Apply(options, setting, given, setting.Flag, problems);
            }
        }

        problems.AddRange(DaemonOptionsValidator.Check(options));
        return problems.Count == 0 ? options : throw ClusterException.Invalid(string.Join('\n', problems.Distinct()));
    }

    private static DaemonOptions Apply(
        DaemonOptions options, DaemonSetting setting, IReadOnlyList<string> values, string source, List<string> problems)
    {
        var result = setting.Apply(options, values);
        if (result.Problem is { } problem)
        {
            problems.Add($"{source} {problem}.");
        }

        return result.Options ?? options;
    }

    private static Dictionary<string, IReadOnlyList<string>> ReadFile(string text, string fileName, List<string> problems)
    {
        var found = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        try
        {
            var reading = new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };
            using var document = JsonDocument.Parse(text, reading);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                problems.Add($"{fileName}: is not a JSON object.");
                return found;
            }

            foreach (var property in document.RootElement.EnumerateObject())
            {
                ReadProperty(property, fileName, found, problems);
            }
        }
        catch (JsonException error)
        {
            problems.Add($"{fileName}: is not JSON: {error.Message}");
        }

        return found;
    }

    private static void ReadProperty(
        JsonProperty property, string fileName, Dictionary<string, IReadOnlyList<string>> found, List<string> problems)
    {
        var setting = DaemonSettings.All.FirstOrDefault(known => known.Name == property.Name);
        if (setting is null)
        {
            problems.Add($"{fileName}: {property.Name} is not a setting; see './skep help daemon' for the names.");
        }
        else if (property.Value.ValueKind == JsonValueKind.Array && setting.Many)
        {
            found[setting.Name] = [.. property.Value.EnumerateArray().Select(Text)];
        }
        else if (property.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
        {
            found[setting.Name] = [Text(property.Value)];
        }
        else
        {
            problems.Add($"{fileName}: {setting.Name} must be a {(setting.Many ? "list of texts" : "text, a number, true or false")}.");
        }
    }

    private static string Text(JsonElement element) =>
        element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText();
}
