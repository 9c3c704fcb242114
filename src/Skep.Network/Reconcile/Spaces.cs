using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Namespaces;
using Skep.Kernel.NfLog;
using Skep.Network.Desired;

namespace Skep.Network.Reconcile;

/// <summary>The namespaces that this node keeps, by the names of their files. Used by one pass at a time.</summary>
internal sealed class Spaces(NodeNetworkOptions options, Action noticed, Action<string, LoggedPacket> told, ILogger logger) : IDisposable
{
    private readonly Dictionary<string, Space> _open = new(StringComparer.Ordinal);

    public IReadOnlyCollection<Space> Open => _open.Values;

    public Space Host => Ensure(WantedSpace.Host);

    /// <summary>What is to be done when every namespace is as it is wished.</summary>
    public Queue<Action> Afterwards { get; } = new();

    public string PathOf(string name) => Path.Combine(options.NamespaceFolder, name);

    /// <summary>The namespace, made when it is not there. One that was put at its path by others is taken in its place.</summary>
    public Space Ensure(string name)
    {
        if (_open.TryGetValue(name, out var space))
        {
            if (IsMounted(space))
            {
                return space;
            }

            logger.SpaceLost(name);
            Close(name);
        }

        return _open[name] = new Space(name, name.Length == 0 ? options.Open(name) : NetworkNamespace.Create(PathOf(name)), noticed, told, logger);
    }

    public bool TryGet(string name, [NotNullWhen(true)] out Space? space) => _open.TryGetValue(name, out space);

    /// <summary>Whether its file still leads to it.</summary>
    public bool IsMounted(Space space)
    {
        if (space.Name.Length == 0)
        {
            return true;
        }

        try
        {
            using var there = NetworkNamespace.Open(PathOf(space.Name));
            return there.Inode == space.Namespace.Inode;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Takes a namespace away. Tunnels are deleted first: their numbers must be free again before the kernel gets round to it.</summary>
    public void Remove(string name)
    {
        if (!File.Exists(PathOf(name)))
        {
            Close(name);
            return;
        }

        var space = Ensure(name);
        foreach (var link in space.Routes.Links().Where(l => l.Kind is "vxlan" or "veth"))
        {
            space.Routes.DeleteLink(link.Index);
        }

        Close(name);
        NetworkNamespace.Delete(PathOf(name));
    }

    /// <summary>The names of files in the folder that look like ours.</summary>
    public IEnumerable<string> Existing() => !Directory.Exists(options.NamespaceFolder)
        ? []
        : Directory.EnumerateFiles(options.NamespaceFolder).Select(f => Path.GetFileName(f)).Where(IsOurs);

    public void Dispose()
    {
        foreach (var name in _open.Keys.ToList())
        {
            Close(name);
        }
    }

    private static bool IsOurs(string name) =>
        name == WantedSpace.IngressSandbox || SpaceNames.Parse(name) is not null || name.StartsWith(SpaceNames.BalancerStart, StringComparison.Ordinal) || (name.Length == 12 && name.All(char.IsAsciiHexDigitLower));

    private void Close(string name)
    {
        if (_open.Remove(name, out var space))
        {
            space.Dispose();
        }
    }
}
