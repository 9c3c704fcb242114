using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Skep.Kernel.Bpf;
using Skep.Kernel.Namespaces;
using Skep.Network.Desired;

namespace Skep.Network.Sockets;

/// <summary>
/// Keeps the socket programs attached and their maps as the plan wants them. What cannot be kept right is detached: the packet rules
/// balance everything that sockets do not, so without programs all is right, and with wrong ones it is not. Used by one pass at a time.
/// </summary>
internal sealed class SocketBalancer(NodeNetworkOptions options, Func<ulong> owner, RepairJournal journal, ILogger logger) : IDisposable
{
    /// <summary>Stands for the sockets where namespaces are named.</summary>
    public const string Name = "sockets";

    private readonly SocketWishes _wishes = new();
    private readonly DatagramMoves _moves = new(options, logger);
    private State _state = State.New;
    private CgroupPrograms? _group;
    private SocketMaps? _maps;
    private SocketPrograms? _programs;
    private ulong _owner;

    // What this kernel has done once it can do.
    private bool _worked;
    private volatile SocketBalancing? _balancing;

    /// <summary>How it stands, for people of any thread; null before the first pass.</summary>
    public SocketBalancing? Balancing => _balancing;

    private enum State
    {
        /// <summary>Nothing was tried yet.</summary>
        New,
        Working,

        /// <summary>It failed, and is tried again.</summary>
        Broken,

        /// <summary>Not wanted, or this kernel cannot.</summary>
        Off,
    }

    /// <summary>Brings maps and programs to the wish.</summary>
    /// <param name="cookieOf">The cookie of a namespace by its name; null when it is not there.</param>
    /// <param name="open">The namespace itself, opened anew.</param>
    /// <param name="readBack">Look at what the kernel has as well: it gives no notice of others' changes.</param>
    /// <param name="full">Try again what failed.</param>
    public void Apply(DesiredPicture picture, Func<string, ulong?> cookieOf, Func<string, NetworkNamespace> open, bool readBack, bool full)
    {
        if (_state == State.Off || (_state == State.Broken && !full))
        {
            return;
        }

        try
        {
            if (_state != State.Working)
            {
                Begin();
            }

            if (_state != State.Off)
            {
                _wishes.Update(picture);
                Keep(Cookies(cookieOf), readBack);
                _wishes.Settle();
                _moves.Run(_maps!, picture.Node, open, full);
                (_state, _worked) = (State.Working, true);
                _balancing = _balancing is { On: true } ? _balancing : new SocketBalancing(true, $"attached to {options.SocketGroup}");
            }
        }
        catch (Exception failure)
        {
            // When this fails too, the pass has failed: wrong programs are worse than none.
            Detach();
            _group?.Dispose();
            _group = null;
            if (!_worked && failure is BpfException { IsFinal: true })
            {
                TurnOff(failure.Message);
            }
            else
            {
                logger.Failed(failure);
                _state = State.Broken;
                _balancing = new SocketBalancing(false, $"it failed and is tried again: {failure.Message}");
            }
        }
    }

    /// <summary>Takes the programs away: the node has left the swarm.</summary>
    public void Remove()
    {
        if (_state == State.New && options.SocketGroup is not null)
        {
            Open();
        }

        Detach();
        (_state, _balancing) = _state == State.Off ? (State.Off, _balancing) : (State.New, null);
    }

    /// <summary>Lets go; what is attached stays and goes on.</summary>
    public void Dispose()
    {
        Drop();
        _group?.Dispose();
    }

    private void Begin()
    {
        if (options.SocketGroup is not { } folder)
        {
            TurnOff("no control groups of version 2 are mounted");
            return;
        }

        if (!options.SocketBalancing)
        {
            if (Directory.Exists(folder))
            {
                Open();
                Detach();
            }

            TurnOff("it is set so");
            return;
        }

        Directory.CreateDirectory(folder);
        Open();
    }

    private void TurnOff(string reason)
    {
        logger.Off(reason);
        _state = State.Off;
        _balancing = new SocketBalancing(false, reason);
    }

    private void Open()
    {
        _owner = owner();
        _group ??= new CgroupPrograms(options.SocketGroup!);
    }

    private Dictionary<ulong, ImmutableArray<uint>> Cookies(Func<string, ulong?> cookieOf)
    {
        var cookies = new Dictionary<ulong, ImmutableArray<uint>>();
        foreach (var (space, networks) in _wishes.Spaces)
        {
            if (cookieOf(space) is { } cookie)
            {
                cookies[cookie] = networks;
            }
        }

        return cookies;
    }

    private void Keep(Dictionary<ulong, ImmutableArray<uint>> spaces, bool readBack)
    {
        if (_maps is null)
        {
            Build(spaces);
            logger.Attached(options.SocketGroup!);
            return;
        }

        if (readBack && Difference() is { } difference)
        {
            journal.Add(Name, RepairKind.Socket, difference.Cause, difference.What);
            logger.SocketsRepaired(difference.What);
            Build(spaces);
            return;
        }

        if (!TryFill(_maps, _wishes.Changed, spaces))
        {
            Build(spaces);
        }
    }

    private (RepairCause Cause, string What)? Difference()
    {
        foreach (var hook in _programs!.Missing(_group!))
        {
            return (RepairCause.Missing, $"{SocketCode.NameOf(hook)} was not attached");
        }

        return _maps!.Difference();
    }

    // The one way to begin, to take over from an earlier daemon of any version, to grow and to repair: a new set of maps is filled while
    // the old one works, and programs over it take the places of those that are there.
    private void Build(Dictionary<ulong, ImmutableArray<uint>> spaces)
    {
        var maps = new SocketMaps(_owner, SocketCapacity.For(_wishes), Flows());
        SocketPrograms? programs = null;
        try
        {
            if (!TryFill(maps, _wishes.Addresses.Keys, spaces))
            {
                throw new InvalidOperationException("a set of maps has no room for what it was made for");
            }

            programs = SocketPrograms.Load(maps.ByName);
            if (_maps is not null)
            {
                maps.TakeTurns(_maps);
            }

            programs.Attach(_group!, _owner);
        }
        catch
        {
            programs?.Dispose();
            maps.Dispose();
            throw;
        }

        Drop();
        (_maps, _programs) = (maps, programs);
        _moves.SuspectAll();
        logger.Rebuilt(_wishes.Addresses.Count, _wishes.Addresses.Values.Sum(a => a.Backends.Length));
    }

    private Dictionary<string, BpfMap> Flows() => _maps is null
        ? SocketPrograms.FlowsOf(_group!, _owner)
        : SocketLayout.Flows.Select(f => BpfMap.OpenById(_maps.ByName[f.Name].Id)).OfType<BpfMap>().ToDictionary(m => m.Shape.Name, StringComparer.Ordinal);

    private bool TryFill(SocketMaps maps, IEnumerable<VipKey> changed, Dictionary<ulong, ImmutableArray<uint>> spaces)
    {
        foreach (var cookie in maps.Spaces.Keys.Where(c => !spaces.ContainsKey(c)).ToList())
        {
            maps.RemoveSpace(cookie);
        }

        // Services come before those that ask for them.
        foreach (var key in changed)
        {
            if (!_wishes.Addresses.TryGetValue(key, out var wanted))
            {
                maps.Remove(key);
            }
            else if (!maps.TrySet(wanted))
            {
                return false;
            }
        }

        return spaces.Where(s => !maps.Spaces.TryGetValue(s.Key, out var there) || !there.SequenceEqual(s.Value)).All(s => maps.TrySetSpace(s.Key, s.Value));
    }

    private void Detach()
    {
        if (_group is not null && SocketPrograms.Detach(_group, _owner))
        {
            logger.Detached(_group.Folder);
        }

        Drop();
    }

    private void Drop()
    {
        _programs?.Dispose();
        _maps?.Dispose();
        (_programs, _maps) = (null, null);
    }
}
