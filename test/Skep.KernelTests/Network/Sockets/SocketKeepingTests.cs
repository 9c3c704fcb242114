using System.Diagnostics;
using System.Net.Sockets;
using Skep.Kernel.Bpf;
using Skep.Kernel.Conntrack;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Network.Sockets;

/// <summary>The programs and their maps over the life of daemons: taken over, put right, switched off, gone for good.</summary>
[Collection(Alone.Name)]
public sealed class SocketKeepingTests
{
    private static readonly string[] s_programs =
        ["skep_connect4", "skep_connect6", "skep_sendmsg4", "skep_sendmsg6", "skep_recvmsg4", "skep_recvmsg6", "skep_getpeer4", "skep_getpeer6"];

    [Fact]
    public async Task A_daemon_that_starts_again_takes_over_without_a_gap()
    {
        await using var machine = await SocketMachine.StartAsync();
        var (name, stream) = await machine.ConnectAsync("red-client", SocketMachine.Vip4);
        Assert.Equal("red-a", name);
        var datagrams = machine.Open("red-client", AddressFamily.InterNetworkV6, ProtocolType.Udp);
        Assert.Equal("red-b", (await machine.ExchangeAsync(datagrams, SocketMachine.Mapped)).Name);

        // Without a daemon all goes on.
        await machine.Node.StopAsync();
        Assert.Equal("red-c red-a", await machine.AskAsync("red-client", SocketMachine.Vip4, 2));
        Assert.Equal(s_programs, machine.Attached());

        machine.Node.Log.Clear();
        using var asking = new CancellationTokenSource();
        var asked = AskOnAsync(machine, asking.Token);
        machine.Node.Start();
        await machine.ApplyAsync(SocketMachine.Plan(2));
        Assert.Equal(s_programs, machine.Attached());
        await machine.AttachAllAsync();
        await asking.CancelAsync();
        Assert.InRange(await asked, 1, int.MaxValue);
        AssertUntranslated(machine);

        Assert.Empty(machine.Node.Log.Repairs);
        Assert.Equal(SocketMachine.Vip4, SocketMachine.PeerOf(stream));
        await stream.SendAsync("still"u8.ToArray(), machine.Limit);
        Assert.Equal("still", await machine.ReadAsync(stream));
        Assert.Equal(("red-b", SocketMachine.Mapped), await machine.ExchangeAsync(datagrams, SocketMachine.Mapped));
    }

    [Fact]
    public async Task Switched_off_nothing_stays_attached_and_packet_rules_balance()
    {
        await using var machine = await SocketMachine.StartAsync();
        Assert.Equal(s_programs, machine.Attached());
        await machine.Node.StopAsync();
        machine.Node.SocketBalancing = false;
        machine.Node.Start();
        await machine.ApplyAsync(SocketMachine.Plan(2));
        Assert.Empty(machine.Attached());
        Assert.Equal(["red-a", "red-b", "red-c"], (await machine.AskAsync("red-client", SocketMachine.Vip4, 3)).Split(' ').Order());
        Assert.Contains(Flows(machine), f => !f.Original.Destination.Equals(f.Reply.Source));
        Assert.Contains(machine.Node.Log.Lines, l => l.Contains("Socket balancing is off, packet rules balance: it is set so", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_fails_at_first_is_tried_again()
    {
        using var groups = new CgroupFixture();
        var place = Path.Combine(Path.GetTempPath(), $"group-{Environment.ProcessId}");
        await File.WriteAllTextAsync(place, "no folder");
        try
        {
            await using var machine = await SocketMachine.StartAsync(group: place);
            Assert.Contains("tried again", machine.Node.Network.SocketBalancing?.Reason, StringComparison.Ordinal);
            File.Delete(place);
            File.CreateSymbolicLink(place, groups.Create("late"));
            await machine.Node.Network.AuditAsync(machine.Limit);
            Assert.True(machine.Node.Network.SocketBalancing?.On);
            Assert.Equal(s_programs, machine.Attached());
        }
        finally
        {
            File.Delete(place);
        }
    }

    [Fact]
    public async Task Who_leaves_takes_its_own_programs_and_leaves_a_neighbours()
    {
        await using var first = await SocketMachine.StartAsync();
        await using var second = await SocketMachine.StartAsync(group: first.Group);
        Assert.Equal(16, first.Attached().Count);
        Assert.Equal("red-a", await first.AskAsync("red-client", SocketMachine.Vip4, 1));
        Assert.Equal("red-a", await second.AskAsync("red-client", SocketMachine.Vip4, 1));
        await second.Node.Network.RemoveAllAsync(second.Limit);
        Assert.Equal(s_programs, first.Attached());
        Assert.Equal("red-b", await first.AskAsync("red-client", SocketMachine.Vip4, 1));
    }

    [Fact]
    public async Task What_others_detach_or_write_is_put_right_within_a_second()
    {
        await using var machine = await SocketMachine.StartAsync();
        await RepairsAsync(machine, "skep_connect4 was not attached", () =>
        {
            using var group = new CgroupPrograms(machine.Group);
            using var program = BpfProgram.OpenById(Assert.Single(group.Query(SocketHook.Connect4)));
            Assert.True(group.Detach(SocketHook.Connect4, program!));
        });
        Assert.Equal(s_programs.Order(), machine.Attached().Order());
        await RepairsAsync(machine, "of network 4102 were others", () =>
        {
            using var slots = machine.Map("skep_slots");
            using var memory = new BpfMapMemory(slots);
            for (var word = 0; word < memory.Length; word += 8)
            {
                if ((uint)memory[word + 2] == 4102)
                {
                    memory[word] = 0;
                }
            }
        });
        foreach (var map in new[] { "skep_services", "skep_spaces", "skep_members" })
        {
            await RepairsAsync(machine, $"{map} had ", () =>
            {
                using var elements = machine.Map(map);
                Assert.True(elements.Remove(elements.Entries().AsSpan(0, elements.Shape.KeySize)));
            });
        }

        await RepairsAsync(machine, "an element of skep_services was another", () =>
        {
            using var elements = machine.Map("skep_services");
            elements.Set(elements.Entries().AsSpan(0, elements.Shape.KeySize), BitConverter.GetBytes(300));
        });
        foreach (var client in new[] { "red", "blue" })
        {
            Assert.Equal($"{client}-a {client}-b", await machine.AskAsync($"{client}-client", SocketMachine.Vip4, 2));
            Assert.Equal($"{client}-a {client}-b", await machine.AskAsync($"{client}-client", SocketMachine.Vip6, 2));
            Assert.Contains(machine.Node.Network.Repairs.Counts, c => c is { Space: "sockets", Kind: Skep.Network.RepairKind.Socket, Cause: Skep.Network.RepairCause.Missing });
        }

        AssertUntranslated(machine);
    }

    // Asks over and over, and each time somebody answers.
    private static async Task<int> AskOnAsync(SocketMachine machine, CancellationToken until)
    {
        var times = 0;
        for (; !until.IsCancellationRequested; times++)
        {
            Assert.StartsWith("red-", await machine.AskAsync("red-client", SocketMachine.Vip4, 1), StringComparison.Ordinal);
        }

        return times;
    }

    private static async Task RepairsAsync(SocketMachine machine, string cause, Action harm)
    {
        machine.Node.Log.Clear();
        await using var stalls = new Stalls();
        var clock = Stopwatch.StartNew();
        harm();
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!machine.Node.Log.Repairs.Any(l => l.Contains(cause, StringComparison.Ordinal)) || !machine.Node.Log.Lines.Any(l => l.Contains("new set of maps", StringComparison.Ordinal)))
        {
            Assert.True(clock.Elapsed < 2.5 * stalls.Second, $"'{cause}' was not repaired: {string.Join('\n', machine.Node.Log.Lines)}");
            await look.WaitForNextTickAsync(machine.Limit);
        }
    }

    private static void AssertUntranslated(SocketMachine machine)
    {
        Assert.NotEmpty(Flows(machine));
        Assert.All(Flows(machine), f => Assert.Equal(f.Original.Destination, f.Reply.Source));
    }

    /// <summary>The flows to the tasks' port that the red network's namespace has seen.</summary>
    internal static IReadOnlyList<ConntrackEntry> Flows(SocketMachine machine)
    {
        using var overlay = machine.Node.Open(machine.RedSpace);
        using var table = ConntrackTable.Open(overlay);
        return [.. table.Entries().Where(f => f.Original.DestinationPort == SocketMachine.Port)];
    }
}
