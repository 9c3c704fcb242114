using System.Globalization;
using Skep.Model.Errors;

namespace Skep.Agent.Runtime.Spec;

/// <summary>An image's /etc/passwd and /etc/group (passwd(5), group(5)), and who a container's process is by them.</summary>
public sealed record UserDatabase(string Passwd, string Group)
{
    public static readonly UserDatabase Empty = new("", "");

    /// <summary>
    /// <paramref name="user"/> is name, uid, name:group or uid:gid; empty is root. A number that is in no file stands for itself
    /// with group 0; a name that is in no file is InvalidArgument.
    /// </summary>
    public ProcessSettings Resolve(string user, IReadOnlyList<string> extraGroups, ProcessSettings settings)
    {
        var parts = user.Split(':', 2);
        var (uid, gid, name) = FindUser(parts[0]);
        if (parts.Length == 2 && parts[1].Length > 0)
        {
            gid = FindGroup(parts[1]);
        }

        var groups = new SortedSet<uint> { gid };
        if (parts.Length == 1 && name is not null)
        {
            groups.UnionWith(Lines(Group).Where(f => f.Length > 3 && f[3].Split(',').Contains(name)).Select(f => Number(f[2])).OfType<uint>());
        }

        groups.UnionWith(extraGroups.Select(FindGroup));
        return settings with { Uid = uid, Gid = gid, AdditionalGids = [.. groups] };
    }

    private (uint Uid, uint Gid, string? Name) FindUser(string user)
    {
        var wanted = user.Length == 0 ? "0" : user;
        var number = Number(wanted);
        var line = Lines(Passwd).FirstOrDefault(f => f.Length > 3 && (f[0] == wanted || (number is not null && f[2] == wanted)));
        if (line is not null && Number(line[2]) is { } uid && Number(line[3]) is { } gid)
        {
            return (uid, gid, line[0]);
        }

        return number is not null
            ? (number.Value, 0, null)
            : throw ClusterException.Invalid($"unable to find user {user}: no matching entries in passwd file");
    }

    private uint FindGroup(string group)
    {
        var line = Lines(Group).FirstOrDefault(f => f.Length > 2 && f[0] == group);
        return (line is not null ? Number(line[2]) : null) ?? Number(group)
            ?? throw ClusterException.Invalid($"unable to find group {group}: no matching entries in group file");
    }

    private static IEnumerable<string[]> Lines(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(l => l[0] != '#').Select(l => l.Split(':'));

    private static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
