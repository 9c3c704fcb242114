using System.Collections.Frozen;
using System.Globalization;
using Skep.Model.Errors;
using Skep.Model.Specs;

namespace Skep.Agent.Logs;

/// <summary>How one container's output is kept; from the log driver of its recipe.</summary>
/// <param name="Kept">False: the driver <c>none</c>.</param>
/// <param name="MaxSize">Bytes after which a new file is begun; 0 = no limit.</param>
/// <param name="MaxFiles">Files that are kept, the current one included.</param>
public sealed record LogOptions(bool Kept, long MaxSize, int MaxFiles)
{
    public const string JsonFile = "json-file";
    public const string None = "none";

    private static readonly FrozenSet<string> s_ignored = new[] { "mode", "max-buffer-size" }.ToFrozenSet(StringComparer.Ordinal);
    private static readonly FrozenSet<string> s_refused =
        new[] { "compress", "labels", "labels-regex", "env", "env-regex", "tag" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Null or an unnamed driver is json-file. An unknown driver or option is InvalidArgument in Docker's words.</summary>
    public static LogOptions Parse(Driver? driver)
    {
        var name = driver?.Name is { Length: > 0 } given ? given : JsonFile;
        if (name == None)
        {
            return new LogOptions(false, 0, 1);
        }

        if (name != JsonFile)
        {
            throw ClusterException.Invalid($"logger: no log driver named '{name}' is registered");
        }

        long size = 0;
        var files = 1;
        foreach (var (key, value) in driver?.Options ?? new Dictionary<string, string>())
        {
            if (key == "max-size")
            {
                size = ParseSize(value);
            }
            else if (key == "max-file")
            {
                files = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                    ? number
                    : throw ClusterException.Invalid($"max-file cannot be less than 1: {value}");
            }
            else if (s_refused.Contains(key) && value is not ("" or "false"))
            {
                throw ClusterException.Invalid($"log opt '{key}' is not supported for json-file log driver");
            }
            else if (!s_ignored.Contains(key) && !s_refused.Contains(key))
            {
                throw ClusterException.Invalid($"unknown log opt '{key}' for json-file log driver");
            }
        }

        return size == 0 && files > 1
            ? throw ClusterException.Invalid("max-file cannot be more than 1 when max-size is not set")
            : new LogOptions(true, size, files);
    }

    private static long ParseSize(string text)
    {
        var number = text.TrimEnd('b', 'B', 'i', 'k', 'K', 'm', 'M', 'g', 'G', 't', 'T');
        var unit = text[number.Length..].ToLowerInvariant().TrimEnd('b').TrimEnd('i');
        var factor = unit switch { "" => 1L, "k" => 1L << 10, "m" => 1L << 20, "g" => 1L << 30, "t" => 1L << 40, _ => 0 };
        if (text == "-1")
        {
            return 0;
        }

        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && factor > 0 && value > 0
            ? (long)(value * factor)
            : throw ClusterException.Invalid($"invalid size: '{text}'");
    }
}
