using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Skep.Model.Errors;

namespace Skep.Agent.Images.Archives;

/// <summary>
/// Dockerfile lines as changes to an image's configuration: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR.
/// Result: the <c>config</c> object of OCI image-spec 1.0.
/// </summary>
internal static class ImageChanges
{
    public static JsonObject Apply(IReadOnlyList<string> changes)
    {
        var config = new JsonObject();
        foreach (var change in changes)
        {
            Apply(config, change.Trim());
        }
        return config;
    }

    private static void Apply(JsonObject config, string line)
    {
        if (line.Length == 0)
        {
            return;
        }
        var space = line.AsSpan().IndexOfAny(' ', '\t');
        var (verb, rest) = space < 0 ? (line, "") : (line[..space], line[space..].Trim());
        var instruction = verb.ToUpperInvariant();
        if (rest.Length == 0 && instruction is "ENV" or "EXPOSE" or "LABEL" or "STOPSIGNAL" or "USER" or "VOLUME" or "WORKDIR")
        {
            throw ClusterException.Invalid($"{instruction} requires at least one argument");
        }
        switch (instruction)
        {
            case "CMD":
                config["Cmd"] = Command(rest);
                break;
            case "ENTRYPOINT":
                config["Entrypoint"] = Command(rest);
                break;
            case "ENV":
                AddEnv(config, rest);
                break;
            case "EXPOSE":
                AddPorts(config, rest);
                break;
            case "LABEL":
                var labels = Child(config, "Labels");
                foreach (var (key, value) in Pairs("LABEL", rest))
                {
                    labels[key] = value;
                }
                break;
            case "STOPSIGNAL":
                config["StopSignal"] = rest;
                break;
            case "USER":
                config["User"] = rest;
                break;
            case "VOLUME":
                foreach (var path in JsonList(rest) ?? Words(rest))
                {
                    Child(config, "Volumes")[path] = new JsonObject();
                }
                break;
            case "WORKDIR":
                var before = config["WorkingDir"]?.GetValue<string>() ?? "/";
                config["WorkingDir"] = rest.StartsWith('/') ? rest : before.TrimEnd('/') + "/" + rest;
                break;
            default:
                throw ClusterException.Invalid($"{verb} is not a valid change command");
        }
    }

    // An instruction in the form of a JSON list is run as it is, any other through the shell.
    private static JsonArray Command(string text)
    {
        var words = JsonList(text) ?? (text.Length == 0 ? [] : ["/bin/sh", "-c", text]);
        return new JsonArray([.. words.Select(word => (JsonNode)word)]);
    }

    private static List<string>? JsonList(string text)
    {
        if (!text.StartsWith('['))
        {
            return null;
        }
        try
        {
            return JsonNode.Parse(text) is JsonArray list && list.All(item => item?.GetValueKind() == JsonValueKind.String)
                ? [.. list.Select(item => item!.GetValue<string>())]
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static void AddEnv(JsonObject config, string text)
    {
        var list = config["Env"] as JsonArray ?? [];
        foreach (var (key, value) in Pairs("ENV", text))
        {
            var same = list.FirstOrDefault(item => item!.GetValue<string>().StartsWith(key + "=", StringComparison.Ordinal));
            if (same is not null)
            {
                list.Remove(same);
            }
            list.Add((JsonNode)$"{key}={value}");
        }
        config["Env"] = list.Parent is null ? list : config["Env"];
    }

    private static void AddPorts(JsonObject config, string text)
    {
        var ports = Child(config, "ExposedPorts");
        foreach (var word in Words(text))
        {
            var slash = word.IndexOf('/', StringComparison.Ordinal);
            var (range, protocol) = slash < 0 ? (word, "tcp") : (word[..slash], word[(slash + 1)..].ToLowerInvariant());
            var ends = range.Split('-');
            if (protocol is not ("tcp" or "udp" or "sctp") || ends.Length > 2
                || !ushort.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                || !ushort.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last) || first == 0 || last < first)
            {
                throw ClusterException.Invalid($"invalid containerPort: {word}");
            }
            for (int port = first; port <= last; port++)
            {
                ports[$"{port.ToString(CultureInfo.InvariantCulture)}/{protocol}"] = new JsonObject();
            }
        }
    }

    private static JsonObject Child(JsonObject config, string name)
    {
        if (config[name] is not JsonObject child)
        {
            config[name] = child = [];
        }
        return child;
    }

    /// <summary>KEY=VALUE words; or, as in old Dockerfiles, one key and the rest of the line.</summary>
    private static IEnumerable<(string Key, string Value)> Pairs(string instruction, string text)
    {
        var words = Words(text);
        if (!words[0].Contains('=', StringComparison.Ordinal))
        {
            var space = text.AsSpan().IndexOfAny(' ', '\t');
            return space < 0
                ? throw ClusterException.Invalid($"{instruction} must have two arguments")
                : [(text[..space], text[space..].Trim())];
        }
        return words.Select(word => word.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
            ? (word[..at], word[(at + 1)..])
            : throw ClusterException.Invalid($"Syntax error - can't find = in \"{word}\". Must be of the form: name=value"));
    }

    /// <summary>Words of a line; quotes hold spaces together, a backslash takes the next character as it is.</summary>
    private static List<string> Words(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var quote = '\0';
        var open = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\\' && quote != '\'' && i + 1 < text.Length)
            {
                word.Append(text[++i]);
                open = true;
            }
            else if (quote != '\0' ? c == quote : c is '"' or '\'')
            {
                quote = quote == '\0' ? c : '\0';
                open = true;
            }
            else if (quote == '\0' && char.IsWhiteSpace(c))
            {
                if (open)
                {
                    words.Add(word.ToString());
                    word.Clear();
                    open = false;
                }
            }
            else
            {
                word.Append(c);
                open = true;
            }
        }
        if (open)
        {
            words.Add(word.ToString());
        }
        return words;
    }
}
