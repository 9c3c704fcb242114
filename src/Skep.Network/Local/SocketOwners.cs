using System.Globalization;

namespace Skep.Network.Local;

/// <summary>Whose a socket is, by the number that its descriptors have in /proc. Descriptors are read only when a number is new.</summary>
internal sealed class SocketOwners(string proc = "/proc")
{
    private const string Form = "socket:[";
    private Dictionary<uint, SocketOwner> _known = [];

    /// <summary>The owners of these sockets; what is not asked for any more is forgotten. Of several processes that share one, the first started has it.</summary>
    public IReadOnlyDictionary<uint, SocketOwner> Of(IReadOnlyCollection<uint> inodes)
    {
        var owners = inodes.Where(_known.ContainsKey).Distinct().ToDictionary(i => i, i => _known[i]);
        var missing = inodes.Where(i => !owners.ContainsKey(i)).ToHashSet();
        if (missing.Count > 0)
        {
            foreach (var process in Processes())
            {
                Look(process, missing, owners);
                if (missing.Count == 0)
                {
                    break;
                }
            }

            foreach (var inode in missing)
            {
                owners[inode] = SocketOwner.Unknown;
            }
        }

        return _known = owners;
    }

    private List<int> Processes() =>
        [.. Directory.EnumerateDirectories(proc).Select(Path.GetFileName).Select(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0).Where(id => id > 0).Order()];

    // A process may end while it is looked at.
    private void Look(int process, HashSet<uint> missing, Dictionary<uint, SocketOwner> owners)
    {
        try
        {
            foreach (var descriptor in new DirectoryInfo($"{proc}/{process}/fd").EnumerateFileSystemInfos())
            {
                if (descriptor.LinkTarget is { } target && target.StartsWith(Form, StringComparison.Ordinal)
                    && uint.TryParse(target.AsSpan(Form.Length..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var inode)
                    && missing.Remove(inode))
                {
                    owners[inode] = new SocketOwner(process, File.ReadAllText($"{proc}/{process}/comm").Trim());
                }
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
        }
    }
}

/// <summary>A process and the name of its program.</summary>
internal readonly record struct SocketOwner(int Process, string Program)
{
    public static readonly SocketOwner Unknown = new(0, "");
}
