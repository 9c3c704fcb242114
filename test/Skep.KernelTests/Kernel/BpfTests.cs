using Skep.Kernel.Bpf;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Kernel;

/// <summary>Maps, programs and their attachment, on the real kernel.</summary>
[Collection(Alone.Name)]
public sealed class BpfTests : IDisposable
{
    private readonly CgroupFixture _groups = new();

    public void Dispose() => _groups.Dispose();

    [Fact]
    public void A_hash_keeps_what_is_set_and_lists_it()
    {
        using var map = BpfMap.Create(new BpfMapShape("kt_hash", BpfMapKind.Hash, 8, 4, 3000) { OnDemand = true });
        for (var i = 0L; i < 2500; i++)
        {
            map.Set(BitConverter.GetBytes(i), BitConverter.GetBytes((int)i * 2));
        }

        var value = new byte[4];
        Assert.True(map.TryGet(BitConverter.GetBytes(7L), value));
        Assert.Equal(14, BitConverter.ToInt32(value));
        Assert.True(map.Remove(BitConverter.GetBytes(7L)));
        Assert.False(map.Remove(BitConverter.GetBytes(7L)));
        Assert.False(map.TryGet(BitConverter.GetBytes(7L), value));

        var entries = map.Entries();
        Assert.Equal(2499 * 12, entries.Length);
        Assert.All(entries.Chunk(12), e => Assert.Equal(BitConverter.ToInt64(e) * 2, BitConverter.ToInt32(e, 8)));
        using var again = BpfMap.OpenById(map.Id);
        Assert.Equal(map.Shape, again!.Shape);
    }

    [Fact]
    public void An_array_in_memory_is_the_map()
    {
        using var map = BpfMap.Create(new BpfMapShape("kt_array", BpfMapKind.Array, 4, 16, 600) { InMemory = true });
        using var memory = new BpfMapMemory(map);
        Assert.Equal(1200, memory.Length);
        memory[1199] = 42;
        var value = new byte[16];
        Assert.True(map.TryGet(BitConverter.GetBytes(599), value));
        Assert.Equal(42L, BitConverter.ToInt64(value, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory[1200]);
    }

    [Fact]
    public void A_refused_program_comes_with_the_verifiers_words()
    {
        var a = new BpfAssembler();
        a.Load(BpfSize.Double, BpfRegister.R0, BpfRegister.R3, 0);
        a.Exit();
        var refusal = Assert.Throws<BpfException>(() => BpfProgram.Load("kt_wrong", SocketHook.Connect4, a.Build(), new Dictionary<string, BpfMap>()));
        Assert.Contains("R3 !read_ok", refusal.Message, StringComparison.Ordinal);
        Assert.Throws<BpfException>(() => BpfMap.Create(new BpfMapShape("kt_none", BpfMapKind.Hash, 0, 4, 1)));
    }

    [Fact]
    public void Programs_are_attached_side_by_side_replaced_found_again_and_go_with_their_group()
    {
        var folder = _groups.Create("attach");
        using var group = new CgroupPrograms(folder);
        using var map = BpfMap.Create(new BpfMapShape("kt_seen", BpfMapKind.Array, 4, 8, 1));
        var maps = new Dictionary<string, BpfMap> { ["seen"] = map };
        using var first = BpfProgram.Load("kt_first", SocketHook.Connect4, Counting(), maps);
        using var second = BpfProgram.Load("kt_second", SocketHook.Connect4, Counting(), maps);
        using var third = BpfProgram.Load("kt_third", SocketHook.Connect4, Counting(), maps);

        group.Attach(SocketHook.Connect4, first);
        group.Attach(SocketHook.Connect4, second);
        Assert.Equal([first.Id, second.Id], group.Query(SocketHook.Connect4));
        group.Attach(SocketHook.Connect4, third, replaced: first);
        Assert.Equal([third.Id, second.Id], group.Query(SocketHook.Connect4));

        using var found = BpfProgram.OpenById(third.Id);
        Assert.Equal(("kt_third", map.Id), (found!.Name, Assert.Single(found.MapIds)));
        Assert.True(group.Detach(SocketHook.Connect4, second));
        Assert.False(group.Detach(SocketHook.Connect4, second));
        Assert.Empty(group.Query(SocketHook.Connect6));

        using var socket = CgroupFixture.Run(folder, () => new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Udp));
        using var mapped = CgroupFixture.Run(folder, () => new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Udp));
        mapped.Connect(System.Net.IPAddress.Loopback, 9);
        mapped.Connect(System.Net.IPAddress.Loopback, 9);
        var value = new byte[8];
        Assert.True(map.TryGet(new byte[4], value));
        Assert.Equal(2, BitConverter.ToInt64(value));
    }

    [Fact]
    public void A_grace_period_ends()
    {
        using var grace = new BpfGracePeriod();
        grace.Wait();
        grace.Wait();
    }

    // Counts its runs in the first element; those to port 9, for sockets that other tests open meanwhile are in the group too.
    private static BpfCode Counting()
    {
        const int contextPort = 24;
        var (a, end) = (new BpfAssembler(), new BpfLabel());
        a.Load(BpfSize.Word, BpfRegister.R2, BpfRegister.R1, contextPort);
        a.JumpIf(BpfRegister.R2, BpfCondition.NotEqual, 0x0900, end);
        a.Store(BpfSize.Word, BpfRegister.R10, -4, 0);
        a.LoadMap(BpfRegister.R1, "seen");
        a.Move(BpfRegister.R2, BpfRegister.R10);
        a.Compute(BpfOperation.Add, BpfRegister.R2, -4);
        a.Call(BpfHelper.MapLookup);
        a.JumpIf(BpfRegister.R0, BpfCondition.Equal, 0, end);
        a.Move(BpfRegister.R1, 1);
        a.FetchAndAdd(BpfRegister.R0, 0, BpfRegister.R1);
        a.Mark(end);
        a.Move(BpfRegister.R0, 1);
        a.Exit();
        return a.Build();
    }
}
