using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Skep.Kernel.Bpf;
using static Skep.Network.Sockets.SocketLayout;

namespace Skep.Network.Sockets;

/// <summary>
/// One set of maps and what was written into it. A service's list is changed as nft changes a set: the new backends are written where
/// nobody reads, then one word leads to them, so that a program sees the old list or the new one. What was read before is used anew only
/// after every program that may have read it has ended. Used by one pass at a time.
/// </summary>
internal sealed class SocketMaps : IDisposable
{
    private const byte Tcp = 6;
    private const byte Udp = 17;

    private readonly Dictionary<string, BpfMap> _maps = new(StringComparer.Ordinal);
    private readonly Dictionary<VipKey, Entry> _entries = [];
    private readonly Dictionary<int, Entry> _bySlot = [];
    private readonly Dictionary<ulong, ImmutableArray<uint>> _spaces = [];
    private readonly BpfMapMemory _slots;
    private readonly BpfMapMemory _backends;
    private readonly BpfGracePeriod _grace;
    private readonly RangeAllocator _freeSlots;
    private readonly RangeAllocator _freeBackends;
    private readonly SocketCapacity _capacity;
    private int _members;

    /// <param name="owner">The cookie of the host's namespace.</param>
    /// <param name="flows">Maps of an earlier set whose flows go on in this one; they become this set's own.</param>
    public SocketMaps(ulong owner, SocketCapacity capacity, IReadOnlyDictionary<string, BpfMap> flows)
    {
        _capacity = capacity;
        (_freeSlots, _freeBackends) = (new RangeAllocator(capacity.Services), new RangeAllocator(capacity.Backends));
        try
        {
            foreach (var shape in Tables(capacity))
            {
                _maps[shape.Name] = BpfMap.Create(shape);
            }

            foreach (var shape in Flows)
            {
                _maps[shape.Name] = flows.GetValueOrDefault(shape.Name) ?? BpfMap.Create(shape);
            }

            _slots = new BpfMapMemory(_maps[Slots]);
            _backends = new BpfMapMemory(_maps[Backends]);
            _grace = new BpfGracePeriod();
            Span<byte> cookie = stackalloc byte[CookieSize];
            MemoryMarshal.Write(cookie, owner);
            _maps[Owner].Set(stackalloc byte[4], cookie);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyDictionary<string, BpfMap> ByName => _maps;

    /// <summary>The namespaces that were written, by cookie.</summary>
    public IReadOnlyDictionary<ulong, ImmutableArray<uint>> Spaces => _spaces;

    /// <summary>Backends that lost a VIP or a port of one since this was last emptied, with the VNI. They may serve it by another key.</summary>
    public HashSet<(uint Vni, MapAddress Backend)> Left { get; } = [];

    /// <summary>Whether a backend may keep a socket's datagrams to a port of a VIP; null when the network has no such VIP.</summary>
    public bool? Serves(uint vni, MapAddress vip, ushort port, MapAddress backend) =>
        EntryOf(vni, vip, port) is { Wanted: var wanted } ? wanted.Backends.Contains(backend) || wanted.Kept.Contains(backend) : null;

    /// <summary>A namespace and its networks; those beyond <see cref="MostNetworks"/> are left to the packet rules. False when there is no room.</summary>
    public bool TrySetSpace(ulong cookie, ImmutableArray<uint> networks)
    {
        if (!_spaces.ContainsKey(cookie) && _spaces.Count == _capacity.Spaces)
        {
            return false;
        }

        _maps[SocketLayout.Spaces].Set(KeyOf(cookie), ValueOf(networks));
        _spaces[cookie] = networks;
        return true;
    }

    public void RemoveSpace(ulong cookie)
    {
        _spaces.Remove(cookie);
        _maps[SocketLayout.Spaces].Remove(KeyOf(cookie));
    }

    /// <summary>A VIP and its backends, new or changed. False when there is no room; what was there before then still is.</summary>
    public bool TrySet(BalancedAddress wanted)
    {
        var before = _entries.GetValueOrDefault(wanted.Key);
        var (slot, first) = (before?.Slot ?? Take(_freeSlots, 1), Take(_freeBackends, wanted.Backends.Length));
        var members = MembersOf(wanted);
        if (slot is not { } s || first is not { } f || _members + members.Count > _capacity.Backends)
        {
            GiveBack(before, slot, first, wanted.Backends.Length);
            return false;
        }

        Write(f, wanted.Backends);
        // Who may be chosen is known before anybody is, and until nobody is any more: programs look it up.
        var membersBefore = before is null ? [] : MembersOf(before.Wanted);
        AddMembers(s, membersBefore, members);
        if (before is null)
        {
            (_slots[At(s, SlotVip)], _slots[At(s, SlotVip + 1)]) = (wanted.Key.Vip.First, wanted.Key.Vip.Second);
            _slots[At(s, SlotTurn)] = 0;
        }

        _slots[At(s, SlotAffinity)] = AffinityOf(wanted);
        _slots[At(s, SlotKind)] = KindOf(wanted);
        _slots[At(s, SlotList)] = ListOf(f, wanted.Backends.Length);
        RemoveMembers(wanted.Key, s, membersBefore, members);
        if (before is null)
        {
            _maps[Services].Set(KeyOf(wanted.Key), BitConverter.GetBytes(s));
            // A port that was served like the rest of its VIP has lost those that are not its own.
            if (wanted.Key.Protocol == Udp && _entries.GetValueOrDefault(wanted.Key.Whole) is { } whole)
            {
                NoteLeft(wanted.Key, MembersOf(whole.Wanted).Keys.Where(a => !members.ContainsKey(a)));
            }
        }
        else
        {
            _freeBackends.Retire(before.First, before.Wanted.Backends.Length);
        }

        _entries[wanted.Key] = _bySlot[s] = new Entry(wanted, s, f);
        return true;
    }

    public void Remove(VipKey key)
    {
        if (_entries.Remove(key, out var entry))
        {
            _bySlot.Remove(entry.Slot);
            _maps[Services].Remove(KeyOf(key));
            _slots[At(entry.Slot, SlotList)] = 0;
            RemoveMembers(key, entry.Slot, MembersOf(entry.Wanted), []);
            _freeSlots.Retire(entry.Slot, 1);
            _freeBackends.Retire(entry.First, entry.Wanted.Backends.Length);
        }
    }

    /// <summary>Goes on where another set's turns have come to.</summary>
    public void TakeTurns(SocketMaps before)
    {
        foreach (var (key, old) in before._entries)
        {
            if (_entries.GetValueOrDefault(key) is { } entry)
            {
                _slots[At(entry.Slot, SlotTurn)] = before._slots[At(old.Slot, SlotTurn)];
            }
        }
    }

    /// <summary>The first thing in the kernel that is not as it was written; null when all is.</summary>
    public (RepairCause Cause, string What)? Difference()
    {
        foreach (var entry in _entries.Values)
        {
            if (!IsIntact(entry))
            {
                return (RepairCause.Changed, $"the backends of {entry.Wanted.Key} were others");
            }
        }

        return Differs(SocketLayout.Spaces, _spaces.Count, (key, value) => _spaces.TryGetValue(MemoryMarshal.Read<ulong>(key), out var networks) && value.SequenceEqual(ValueOf(networks)))
            ?? Differs(Services, _entries.Count, (key, value) => _entries.TryGetValue(VipOf(key), out var entry) && entry.Slot == MemoryMarshal.Read<int>(value))
            ?? Differs(Members, _members, IsMember);
    }

    public void Dispose()
    {
        _slots?.Dispose();
        _backends?.Dispose();
        _grace?.Dispose();
        foreach (var map in _maps.Values)
        {
            map.Dispose();
        }
    }

    private int? Take(RangeAllocator allocator, int length)
    {
        if (allocator.Take(length) is { } first)
        {
            return first;
        }

        if (!_freeBackends.HasRetired && !_freeSlots.HasRetired)
        {
            return null;
        }

        _grace.Wait();
        _freeSlots.Recycle();
        _freeBackends.Recycle();
        return allocator.Take(length);
    }

    private void GiveBack(Entry? before, int? slot, int? first, int length)
    {
        if (before is null && slot is { } s)
        {
            _freeSlots.Retire(s, 1);
        }

        if (first is { } f)
        {
            _freeBackends.Retire(f, length);
        }
    }

    private void Write(int first, ImmutableArray<MapAddress> backends)
    {
        for (var i = 0; i < backends.Length; i++)
        {
            _backends[2 * (first + i)] = backends[i].First;
            _backends[(2 * (first + i)) + 1] = backends[i].Second;
        }
    }

    private void AddMembers(int slot, Dictionary<MapAddress, int> before, Dictionary<MapAddress, int> wanted)
    {
        foreach (var (address, state) in wanted.Where(w => before.GetValueOrDefault(w.Key) != w.Value))
        {
            _maps[Members].Set(KeyOf(slot, address), BitConverter.GetBytes(state));
        }

        _members += wanted.Keys.Count(a => !before.ContainsKey(a));
    }

    private void RemoveMembers(VipKey key, int slot, Dictionary<MapAddress, int> before, Dictionary<MapAddress, int> wanted)
    {
        var gone = before.Keys.Where(a => !wanted.ContainsKey(a)).ToList();
        NoteLeft(key, gone);
        foreach (var address in gone)
        {
            _maps[Members].Remove(KeyOf(slot, address));
            _members--;
        }
    }

    // Streams stay where they are.
    private void NoteLeft(VipKey key, IEnumerable<MapAddress> backends)
    {
        if (key.Protocol != Tcp)
        {
            Left.UnionWith(backends.Select(b => (key.Vni, b)));
        }
    }

    private Entry? EntryOf(uint vni, MapAddress vip, ushort port) =>
        _entries.GetValueOrDefault(new VipKey(vni, vip, Udp, port)) ?? _entries.GetValueOrDefault(new VipKey(vni, vip));

    private bool IsIntact(Entry entry)
    {
        var (wanted, slot, first) = entry;
        if (_slots[At(slot, SlotList)] != ListOf(first, wanted.Backends.Length) || _slots[At(slot, SlotKind)] != KindOf(wanted)
            || _slots[At(slot, SlotVip)] != wanted.Key.Vip.First || _slots[At(slot, SlotVip + 1)] != wanted.Key.Vip.Second
            || _slots[At(slot, SlotAffinity)] != AffinityOf(wanted))
        {
            return false;
        }

        for (var i = 0; i < wanted.Backends.Length; i++)
        {
            if (_backends[2 * (first + i)] != wanted.Backends[i].First || _backends[(2 * (first + i)) + 1] != wanted.Backends[i].Second)
            {
                return false;
            }
        }

        return true;
    }

    private bool IsMember(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var address = MemoryMarshal.Read<MapAddress>(key[8..]);
        return _bySlot.TryGetValue(MemoryMarshal.Read<int>(key), out var entry)
            && MemoryMarshal.Read<int>(value) switch
            {
                Active => entry.Wanted.Backends.Contains(address),
                Kept => entry.Wanted.Kept.Contains(address),
                _ => false,
            };
    }

    // Each element is one that is wanted and there are as many as are wanted: then they are the same.
    private (RepairCause Cause, string What)? Differs(string name, int count, IsWanted isWanted)
    {
        var map = _maps[name];
        var entries = map.Entries();
        var width = map.Shape.KeySize + map.Shape.ValueSize;
        for (var at = 0; at < entries.Length; at += width)
        {
            if (!isWanted(entries.AsSpan(at, map.Shape.KeySize), entries.AsSpan(at + map.Shape.KeySize, map.Shape.ValueSize)))
            {
                return (RepairCause.Changed, $"an element of {name} was another");
            }
        }

        return entries.Length == count * width ? null : (RepairCause.Missing, $"{name} had {entries.Length / width} of {count} elements");
    }

    private static Dictionary<MapAddress, int> MembersOf(BalancedAddress address)
    {
        var members = new Dictionary<MapAddress, int>();
        foreach (var kept in address.Kept)
        {
            members[kept] = Kept;
        }

        foreach (var backend in address.Backends)
        {
            members[backend] = Active;
        }

        return members;
    }

    private static int At(int slot, int word) => (slot * SlotWords) + word;

    private static ulong ListOf(int first, int count) => (uint)first | ((ulong)(uint)count << 32);

    private static ulong KindOf(BalancedAddress wanted) =>
        wanted.Key.Vni | ((ulong)(ushort)wanted.Mode << 32) | (wanted.HasPorts ? 1UL << 48 : 0);

    private static ulong AffinityOf(BalancedAddress wanted) => (ulong)wanted.Affinity.TotalNanoseconds;

    private static byte[] KeyOf(ulong cookie) => BitConverter.GetBytes(cookie);

    private static byte[] KeyOf(VipKey vip)
    {
        var key = KeyOf((int)vip.Vni, vip.Vip);
        BinaryPrimitives.WriteUInt16BigEndian(key.AsSpan(4), vip.Port);
        BinaryPrimitives.WriteUInt16LittleEndian(key.AsSpan(6), vip.Protocol);
        return key;
    }

    // For services and for members alike.
    private static byte[] KeyOf(int number, MapAddress address)
    {
        var key = new byte[VipKeySize];
        BinaryPrimitives.WriteInt32LittleEndian(key, number);
        MemoryMarshal.Write(key.AsSpan(8), address);
        return key;
    }

    private static VipKey VipOf(ReadOnlySpan<byte> key) => new(
        MemoryMarshal.Read<uint>(key), MemoryMarshal.Read<MapAddress>(key[8..]), key[6], BinaryPrimitives.ReadUInt16BigEndian(key[4..]));

    private static byte[] ValueOf(ImmutableArray<uint> networks)
    {
        var value = new byte[SpaceSize];
        var count = Math.Min(networks.Length, MostNetworks);
        BinaryPrimitives.WriteInt32LittleEndian(value, count);
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(4 + (4 * i)), networks[i]);
        }

        return value;
    }

    private delegate bool IsWanted(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    private sealed record Entry(BalancedAddress Wanted, int Slot, int First);
}
