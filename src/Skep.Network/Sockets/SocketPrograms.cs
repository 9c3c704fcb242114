using Skep.Kernel.Bpf;

namespace Skep.Network.Sockets;

/// <summary>The programs of one owner at one control group: those that are loaded, and those that an earlier daemon left.</summary>
internal sealed class SocketPrograms : IDisposable
{
    private readonly Dictionary<SocketHook, BpfProgram> _programs = [];

    private SocketPrograms()
    {
    }

    public static IReadOnlyList<SocketHook> Hooks { get; } = Enum.GetValues<SocketHook>();

    /// <summary>Loads every program over these maps.</summary>
    public static SocketPrograms Load(IReadOnlyDictionary<string, BpfMap> maps)
    {
        var loaded = new SocketPrograms();
        try
        {
            foreach (var hook in Hooks)
            {
                loaded._programs[hook] = BpfProgram.Load(SocketCode.NameOf(hook), hook, SocketCode.Of(hook), maps);
            }

            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Whatever of this owner is attached to the group, of whichever version.</summary>
    public static IEnumerable<(SocketHook Hook, BpfProgram Program)> Attached(CgroupPrograms group, ulong owner)
    {
        foreach (var hook in Hooks)
        {
            foreach (var program in group.Query(hook).Select(BpfProgram.OpenById).OfType<BpfProgram>())
            {
                if (IsOf(program, owner))
                {
                    yield return (hook, program);
                }
                else
                {
                    program.Dispose();
                }
            }
        }
    }

    /// <summary>Puts these programs where they belong, each in the place of its forerunner; further ones of this owner go.</summary>
    public void Attach(CgroupPrograms group, ulong owner)
    {
        var before = Attached(group, owner).ToList();
        try
        {
            foreach (var (hook, program) in _programs)
            {
                var forerunners = before.Where(b => b.Hook == hook).Select(b => b.Program).ToList();
                group.Attach(hook, program, forerunners.Count == 0 ? null : forerunners[0]);
                foreach (var further in forerunners.Skip(1))
                {
                    group.Detach(hook, further);
                }
            }
        }
        finally
        {
            before.ForEach(b => b.Program.Dispose());
        }
    }

    /// <summary>The hooks at which these programs are not attached.</summary>
    public IEnumerable<SocketHook> Missing(CgroupPrograms group) =>
        _programs.Where(p => !group.Query(p.Key).Contains(p.Value.Id)).Select(p => p.Key);

    /// <summary>Detaches whatever of this owner is attached; whether there was anything.</summary>
    public static bool Detach(CgroupPrograms group, ulong owner)
    {
        var any = false;
        foreach (var (hook, program) in Attached(group, owner).ToList())
        {
            any |= group.Detach(hook, program);
            program.Dispose();
        }

        return any;
    }

    /// <summary>The maps that hold flows, of the programs that are attached; those of another shape are left behind.</summary>
    public static Dictionary<string, BpfMap> FlowsOf(CgroupPrograms group, ulong owner)
    {
        var flows = new Dictionary<string, BpfMap>(StringComparer.Ordinal);
        foreach (var (_, program) in Attached(group, owner).ToList())
        {
            foreach (var map in program.MapIds.Select(BpfMap.OpenById).OfType<BpfMap>())
            {
                if (!SocketLayout.Flows.Contains(map.Shape) || !flows.TryAdd(map.Shape.Name, map))
                {
                    map.Dispose();
                }
            }

            program.Dispose();
        }

        return flows;
    }

    public void Dispose()
    {
        foreach (var program in _programs.Values)
        {
            program.Dispose();
        }
    }

    private static bool IsOf(BpfProgram program, ulong owner)
    {
        if (!program.Name.StartsWith(SocketLayout.NamePrefix, StringComparison.Ordinal))
        {
            return false;
        }

        var (key, cookie) = (new byte[4], new byte[SocketLayout.CookieSize]);
        foreach (var map in program.MapIds.Select(BpfMap.OpenById).OfType<BpfMap>())
        {
            using (map)
            {
                if (map.Shape is { Name: SocketLayout.Owner, ValueSize: SocketLayout.CookieSize } && map.TryGet(key, cookie))
                {
                    return BitConverter.ToUInt64(cookie) == owner;
                }
            }
        }

        return false;
    }
}
