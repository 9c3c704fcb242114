using System.Text.Json;

namespace Skep.Agent.Runtime.Spec;

/// <summary>Docker's device rules: any node may be made, only the harmless ones may be opened.</summary>
internal static class DeviceRules
{
    private static readonly (string Type, int? Major, int? Minor, string Access)[] s_allowed =
    [
        ("c", null, null, "m"),
        ("b", null, null, "m"),
        ("c", 1, 3, "rwm"), // null
        ("c", 1, 5, "rwm"), // zero
        ("c", 1, 7, "rwm"), // full
        ("c", 1, 8, "rwm"), // random
        ("c", 1, 9, "rwm"), // urandom
        ("c", 5, 0, "rwm"), // tty
        ("c", 5, 1, "rwm"), // console
        ("c", 5, 2, "rwm"), // ptmx
        ("c", 136, null, "rwm"), // pts
    ];

    public static void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("devices");
        writer.WriteStartObject();
        writer.WriteBoolean("allow", false);
        writer.WriteString("access", "rwm");
        writer.WriteEndObject();
        foreach (var (type, major, minor, access) in s_allowed)
        {
            writer.WriteStartObject();
            writer.WriteBoolean("allow", true);
            writer.WriteString("type", type);
            Number(writer, "major", major);
            Number(writer, "minor", minor);
            writer.WriteString("access", access);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void Number(Utf8JsonWriter writer, string name, int? value)
    {
        if (value is not null)
        {
            writer.WriteNumber(name, value.Value);
        }
    }
}
