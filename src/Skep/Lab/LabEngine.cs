using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>Makes, changes and removes one lab. The state is in files, names and the kernel; nothing of ours keeps running.</summary>
internal sealed class LabEngine(LabPlace place, TimeProvider clock, Action<string> tell)
{
    // No lab can have this name: it has a capital.
    private const string SubnetLock = "/run/lock/skep-lab.Subnets";

    public LabPlace Place => place;

    public LabState State => LabState.Require(place);

    public IReadOnlyList<Machine> Machines(LabState state) =>
        [.. Enumerable.Range(1, state.Nodes).Select(node => new Machine(place, state, node))];

    public Machine Machine(int node)
    {
        var state = State;
        return node >= 1 && node <= state.Nodes
            ? new Machine(place, state, node)
            : throw new ClusterException(ErrorKind.NotFound, $"Lab '{place.Name}' has machines 1 to {state.Nodes}, no {node}.");
    }

    /// <summary>Brings a lab up: a new one, over leftovers of an old one, or what is missing of one that is there.</summary>
    public async Task UpAsync(LabWish wish, CancellationToken cancellationToken)
    {
        using var held = await LabLock.TakeAsync(place.LockFile);
        var state = LabState.Read(place);
        if (state is not null && Machines(state).Any(machine => machine.Init is not null))
        {
            if (state.Nodes != wish.Nodes)
            {
                throw new ClusterException(
                    ErrorKind.Conflict, $"Lab '{place.Name}' is up with {state.Nodes} machines, not {wish.Nodes}. Take it down first: ./skep lab down --name {place.Name}");
            }
        }
        else
        {
            state = await PrepareAsync(wish, state, cancellationToken);
        }

        await BringUpAsync(state, cancellationToken);
        if (wish.Swarm)
        {
            tell("Forming the swarm");
            await SwarmForming.FormAsync(Machines(state), clock, cancellationToken);
        }
    }

    public async Task DownAsync(bool keep, CancellationToken cancellationToken)
    {
        using var held = await LabLock.TakeAsync(place.LockFile);
        await ClearAsync(keep, cancellationToken);
    }

    public async Task StartAsync(int node, CancellationToken cancellationToken)
    {
        using var held = await LabLock.TakeAsync(place.LockFile);
        await StartAsync(Machine(node), cancellationToken);
    }

    public async Task KillAsync(int node, bool daemonOnly, CancellationToken cancellationToken)
    {
        using var held = await LabLock.TakeAsync(place.LockFile);
        var machine = Machine(node);
        var killed = daemonOnly
            ? machine.Daemon is { } daemon && await daemon.KillAsync(cancellationToken)
            : await machine.KillAsync(clock, cancellationToken);
        if (!killed)
        {
            throw new ClusterException(ErrorKind.FailedPrecondition, daemonOnly ? $"{machine.Name} has no daemon running." : $"{machine.Name} is off.");
        }
    }

    public async Task SetCableAsync(int node, bool plugged, CancellationToken cancellationToken)
    {
        var machine = Machine(node);
        if (machine.Init is null)
        {
            throw new ClusterException(ErrorKind.FailedPrecondition, $"{machine.Name} is off. Start it with: ./skep lab start {node}");
        }

        await LabSwitch.SetCableAsync(place, node, plugged, cancellationToken);
    }

    private async Task<LabState> PrepareAsync(LabWish wish, LabState? old, CancellationToken cancellationToken)
    {
        var kept = old is { Kept: true };
        if (kept && (old!.Nodes > wish.Nodes || old.Data != wish.DataOf(place)))
        {
            throw new ClusterException(
                ErrorKind.Conflict,
                $"Lab '{place.Name}' was kept with {old.Nodes} machines and its data in {old.Data}. Name the same, or remove it: ./skep lab down --name {place.Name}");
        }

        await ClearAsync(kept, cancellationToken);
        using var held = await LabLock.TakeAsync(SubnetLock);
        var taken = All().Where(other => other.Name != place.Name).Select(LabState.Read).OfType<LabState>().Select(other => other.Subnet);

        // A kept lab's nodes know one another by their addresses.
        var subnet = kept ? old!.Subnet : LabSwitch.FreeSubnet(taken);
        var state = new LabState(wish.Nodes, subnet, wish.DataOf(place), wish.DaemonCommand, Kept: false);
        state.Write(place);
        await LabSwitch.CreateAsync(place, state, cancellationToken);
        return state;
    }

    private async Task BringUpAsync(LabState state, CancellationToken cancellationToken)
    {
        var missing = Machines(state).Where(machine => machine.Daemon is null).ToList();
        if (missing.Count == 0)
        {
            tell($"Lab '{place.Name}' is up already");
            return;
        }

        tell($"Booting {string.Join(", ", missing.Select(machine => machine.Name))} in 10.77.{state.Subnet}.0/24");
        await Task.WhenAll(missing.Select(machine => StartAsync(machine, cancellationToken)));
    }

    private async Task StartAsync(Machine machine, CancellationToken cancellationToken)
    {
        if (machine.Init is null)
        {
            await machine.BootAsync(clock, cancellationToken);
        }

        if (machine.Daemon is null)
        {
            await machine.StartDaemonAsync(cancellationToken);
        }

        await Readiness.WaitAsync(machine, clock, cancellationToken);
        tell($"{machine.Name} answers at {machine.Address}");
    }

    /// <summary>Removes all that a lab of this name can have left, whether or not its state can be read.</summary>
    private async Task ClearAsync(bool keep, CancellationToken cancellationToken)
    {
        var state = LabState.Read(place);
        if (state is not null)
        {
            await Task.WhenAll(Machines(state).Select(machine => machine.KillAsync(clock, cancellationToken)));
        }

        // Machines whose files are gone are still in the lab's cgroups.
        await LabCgroups.RemoveAsync(place.Cgroup, clock, cancellationToken);
        await LabSwitch.DeleteAsync(place, state, cancellationToken);
        Delete(place.RunFolder);
        LibC.RemoveFolder(LabPlace.RunRoot);
        if (keep && state is not null)
        {
            (state with { Kept = true }).Write(place);
            return;
        }

        if (state is not null)
        {
            DeleteData(state);
        }

        Delete(place.Folder);
        if (!All().Any())
        {
            LabCgroups.RemoveEmptyParent();
            LibC.RemoveFolder(LabPlace.Root);

            // The machines' data is mounted here; the folder on the host exists only for that. A daemon of the host's own makes it non-empty.
            LibC.RemoveFolder("/var/lib/skep");
        }
    }

    private static void DeleteData(LabState state)
    {
        for (var node = 1; node <= state.Nodes; node++)
        {
            Delete($"{state.Data}/node{node}");
        }

        // A folder that the user named may hold more than ours.
        LibC.RemoveFolder(state.Data);
    }

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Every lab of this machine.</summary>
    public static IEnumerable<LabPlace> All() => Directory.Exists(LabPlace.Root)
        ? Directory.GetDirectories(LabPlace.Root).Where(folder => File.Exists($"{folder}/lab.json")).Select(folder => new LabPlace(Path.GetFileName(folder)))
        : [];
}
